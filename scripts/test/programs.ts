import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { bundleForTests, type Bundle } from '../build/bundle.ts';
import { commandsOf, SDK_FILES } from '../build/release-tree.ts';
import { PROGRAMS_VARIABLE } from '../house/entries.ts';

/** These start houses: dozens of processes, most of whose time the sources' loading would be. */
const USERS = /^tests\/(canary|chaos|e2e|kill|network)\//;
const KEPT_MS = 86_400_000;
/** Goes up when other files are written beside the programs. */
const LAYOUT = '1';

/** Bundles the programs of `checkout` for the houses of this run, when one of `files` starts one. */
export async function bundlePrograms(checkout: string, files: readonly string[]): Promise<void> {
  if (!files.some((path) => USERS.test(path))) return;
  process.env[PROGRAMS_VARIABLE] = writePrograms(checkout, await bundleForTests(checkout));
}

/**
 * Writes them, laid out as a release, where they find the packages that are not bundled. The folder is named by what is in it: another run of
 * this checkout may use it, and a changed program is another folder.
 */
function writePrograms(checkout: string, bundles: readonly Pick<Bundle, 'app' | 'contents'>[]): string {
  const all = join(checkout, 'node_modules/.cache/ringfence-programs');
  const folder = join(all, folderName(checkout, bundles));
  mkdirSync(all, { recursive: true });
  removeOld(all);
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date());
    return folder;
  }
  const draft = mkdtempSync(join(all, 'new-'));
  chmodSync(draft, 0o755);
  for (const name of ['bin', 'lib']) mkdirSync(join(draft, name));
  for (const { app, contents } of bundles) {
    writeFileSync(join(draft, 'lib', `${app}.mjs`), contents);
    const launcher = `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'lib', app)}.mjs' "$@"\n`;
    for (const command of commandsOf(app)) writeFileSync(join(draft, 'bin', command), launcher, { mode: 0o755 });
  }
  for (const name of SDK_FILES) cpSync(join(checkout, 'sdk', name), join(draft, 'lib/sdk', name), { recursive: true });
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another run was faster.
    rmSync(draft, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Of everything that the folder holds: programs, what jobs import, and the Node that runs them. */
export function folderName(checkout: string, bundles: readonly Pick<Bundle, 'contents'>[]): string {
  const hash = createHash('sha256').update(LAYOUT).update(process.execPath);
  for (const { contents } of bundles) hash.update(contents);
  for (const name of SDK_FILES) hash.update(readFileSync(join(checkout, 'sdk', name)));
  return hash.digest('hex').slice(0, 16);
}

function removeOld(all: string): void {
  for (const name of readdirSync(all)) {
    const age = Date.now() - statSync(join(all, name)).mtimeMs;
    if (age > KEPT_MS) rmSync(join(all, name), { recursive: true, force: true });
  }
}
