import { posix } from 'node:path';

/**
 * One import written into a copy of the tree. `rule` must report it when `broken`, and must stay silent otherwise.
 * `at` is the importing file, `files` everything to write (path in the tree → source), `at` included.
 */
export type PlantedImport = {
  rule: string;
  broken: boolean;
  at: string;
  files: Readonly<Record<string, string>>;
};

/** The ways in which one module can depend on another; the lint rules ban those that no tool sees (.oxlintrc.json). */
const STYLES = {
  value: (specifier: string) => `import { planted } from '${specifier}';\nexport const copy = planted;\n`,
  're-export': (specifier: string) => `export * from '${specifier}';\n`,
  'type-only': (specifier: string) => `import type { Planted } from '${specifier}';\nexport type Copy = Planted;\n`,
  dynamic: (specifier: string) => `export const later = () => import('${specifier}');\n`,
  using: (specifier: string) =>
    `export async function later() {\n  using held = await import('${specifier}');\n  return held;\n}\n`,
} as const;

type Style = keyof typeof STYLES;

const TARGET_SOURCE = 'export const planted = 1;\nexport type Planted = number;\n';

/** Two barrels between the importer and crypto/open: a rule that looks one hop far does not see through them. */
const BARRELS = {
  'core/planted/package.json': '{"name":"@ringfence/planted","type":"module","exports":"./src/planted-outer.ts"}',
  'core/planted/src/planted-outer.ts': "export * from './planted-inner.ts';\n",
  'core/planted/src/planted-inner.ts': "export * from '@ringfence/crypto/open';\n",
};

const isTreePath = (target: string) => /^(core|engines|apps|tests|\.)\b/.test(target);

/** A file in `folder` that imports `target`: a folder or file of the tree, which is planted too, or a module's name. */
function plant(
  rule: string,
  broken: boolean,
  [folder, target, style = 'value']: [string, string, Style?],
): PlantedImport {
  const at = `${folder}/planted-${rule}-${target.replaceAll(/[^a-z]+/g, '-')}-${style}.ts`;
  if (!isTreePath(target)) return { rule, broken, at, files: { [at]: STYLES[style](target) } };
  const file = target.endsWith('.ts') ? target : `${target}/planted.ts`;
  const relative = posix.relative(folder, file);
  const source = STYLES[style](relative.startsWith('.') ? relative : `./${relative}`);
  return { rule, broken, at, files: { [file]: TARGET_SOURCE, [at]: source } };
}

const breach = (rule: string, ...arrow: [string, string, Style?]) => plant(rule, true, arrow);
const allowed = (rule: string, ...arrow: [string, string, Style?]) => plant(rule, false, arrow);

function blindBreaches(app: string): PlantedImport[] {
  const rule = 'control-plane-is-blind';
  const src = `apps/${app}/src`;
  const barrel = breach(rule, src, '@ringfence/planted');
  return [
    ...(Object.keys(STYLES) as Style[]).map((style) => breach(rule, src, 'core/crypto/src/open', style)),
    breach(rule, src, '@ringfence/crypto/open'),
    { ...barrel, files: { ...BARRELS, ...barrel.files } },
    breach(rule, src, 'engines/he/src'),
    allowed(rule, src, 'core/crypto/src/seal'),
    allowed(rule, src, 'engines/tee/src/verify'),
    allowed(rule, src, 'engines/dp/src/accountant'),
  ];
}

const CYCLE = 'core/base/src/planted-cycle.ts';

/** At least one breach for every rule of dependency-rules.cjs, and close neighbours that must stay allowed. */
export const PLANTED: readonly PlantedImport[] = [
  breach('unresolvable', 'core/base/src', '@ringfence/no-such-package'),
  breach('unresolvable', 'tests', '@ringfence/crypto/no-such-export'),
  { rule: 'no-cycles', broken: true, at: CYCLE, files: { [CYCLE]: STYLES['type-only']('./planted-cycle.ts') } },
  breach('core-is-bottom', 'core/policy/src', 'engines/dp/src'),
  breach('core-is-bottom', 'core/policy/src', 'apps/cli/src'),
  breach('engines-below-apps', 'engines/dp/src', 'apps/cli/src'),
  breach('apps-apart', 'apps/cli/src', 'apps/agent/src'),
  breach('base-imports-nothing', 'core/base/src', 'core/crypto/src'),
  ...blindBreaches('control-plane'),
  ...blindBreaches('relay'),
  breach('store-is-for-servers', 'apps/agent/src', 'core/store/src'),
  breach('store-is-for-servers', 'core/client/src', 'core/store/src'),
  allowed('store-is-for-servers', 'apps/custodian/src', 'core/store/src'),
  breach('console-thin', 'apps/console/src', 'core/crypto/src'),
  allowed('console-thin', 'apps/console/src', 'core/client/src'),
  breach('cli-thin', 'apps/cli/src', 'engines/he/src'),
  breach('cli-thin', 'apps/cli/src', 'engines/dp/src/mechanisms'),
  allowed('cli-thin', 'apps/cli/src', 'engines/dp/src/accountant'),
  breach('cli-thin', 'apps/cli/src', 'engines/fl/src/secagg'),
  allowed('cli-thin', 'apps/cli/src', 'engines/fl/src/contract-encoding'),
  breach('engines-apart', 'engines/mpc/src', 'engines/he/src'),
  breach('fl-uses-dp-and-mpc-only', 'engines/fl/src', 'engines/he/src'),
  allowed('fl-uses-dp-and-mpc-only', 'engines/fl/src', 'engines/dp/src'),
  breach('pure-core-no-io', 'core/policy/src', 'node:fs'),
  breach('pure-core-no-io', 'core/base/src', 'fs/promises'),
  breach('pure-core-no-io', 'core/protocol/src', 'node:net', 'dynamic'),
  breach('pure-core-no-io', 'core/keyring/src', 'node:http2', 'type-only'),
  breach('pure-core-no-io', 'engines/dp/src', 'node:child_process', 're-export'),
  allowed('pure-core-no-io', 'core/client/src', 'node:net'),
  allowed('pure-core-no-io', 'core/store/src', 'node:net'),
  allowed('pure-core-no-io', 'core/base/src/platform', 'node:fs'),
  allowed('pure-core-no-io', 'core/crypto/src', 'node:crypto'),
  breach('declared-packages-only', 'core/base/src', 'ws'),
  allowed('declared-packages-only', 'core/client/src', 'ws'),
  breach('packages-by-name', 'apps/agent/src', 'core/crypto/src'),
  allowed('packages-by-name', 'apps/agent/src', '@ringfence/crypto/open'),
  breach('product-stands-alone', 'core/base/src', 'tests'),
  breach('product-stands-alone', 'apps/agent/src', 'apps/agent/src/planted.test.ts'),
  breach('product-stands-alone', 'core/base/src', 'core/base/src/planted.fixture.ts'),
];
