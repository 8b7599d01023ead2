import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import test from 'node:test';
import { runTool } from './run-tool.ts';

const checkout = resolve(import.meta.dirname, '../..');

/** Lints one file at `path` of an otherwise empty tree with the repository's rules and returns the rules it broke. */
async function brokenRules(path: string, source: string): Promise<string[]> {
  const tree = mkdtempSync(join(tmpdir(), 'ringfence-lint-'));
  try {
    cpSync(join(checkout, '.oxlintrc.json'), join(tree, '.oxlintrc.json'));
    cpSync(join(checkout, 'tsconfig.base.json'), join(tree, 'tsconfig.base.json'));
    symlinkSync(join(checkout, 'node_modules'), join(tree, 'node_modules'));
    const project = { extends: './tsconfig.base.json', compilerOptions: { rootDir: '.' }, include: ['**/*.ts'] };
    writeFileSync(join(tree, 'tsconfig.json'), JSON.stringify(project));
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), source);
    const { stdout } = await runTool(join(checkout, 'node_modules/.bin/oxlint'), ['--type-aware', '-f', 'json', path], {
      cwd: tree,
    });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
    return [...new Set(diagnostics.map(({ code }) => code))].toSorted();
  } finally {
    rmSync(tree, { recursive: true });
  }
}

const CASES: [name: string, path: string, source: string, rule: string][] = [
  ['the wall clock', 'core/base/src/x.ts', 'export const t = Date.now();', 'eslint(no-restricted-globals)'],
  ['a date of now', 'apps/agent/src/x.ts', 'export const t = new Date();', 'eslint(no-restricted-globals)'],
  ['ambient randomness', 'core/base/src/x.ts', 'export const r = Math.random();', 'eslint(no-restricted-properties)'],
  [
    'an import type',
    'core/base/src/x.ts',
    "export type T = import('node:fs').Stats;",
    'typescript(consistent-type-imports)',
  ],
  [
    'a computed import',
    'core/base/src/x.ts',
    'export const load = (name: string) => import(name);',
    'import(no-dynamic-require)',
  ],
  [
    'a builtin by name',
    'core/base/src/x.ts',
    "export const fs = process.getBuiltinModule('fs');",
    'eslint(no-restricted-properties)',
  ],
  [
    'require in the control plane',
    'apps/control-plane/src/x.ts',
    "export { createRequire } from 'node:module';",
    'eslint(no-restricted-imports)',
  ],
  [
    'open in the relay',
    'apps/relay/src/x.ts',
    "export * from '@ringfence/crypto/open';",
    'eslint(no-restricted-imports)',
  ],
  [
    'a lost promise',
    'core/base/src/x.ts',
    'const later = async () => 1;\nlater();',
    'typescript(no-floating-promises)',
  ],
];

for (const [name, path, source, rule] of CASES) {
  test(`lint refuses ${name}`, async () => assert.ok((await brokenRules(path, source)).includes(rule)));
}

test('composition roots and scripts may read the clock', async () => {
  assert.deepEqual(await brokenRules('apps/agent/src/main.ts', 'export const t = Date.now() + Math.random();'), []);
  assert.deepEqual(await brokenRules('scripts/x.ts', 'export const t = Date.now() + Math.random();'), []);
});
