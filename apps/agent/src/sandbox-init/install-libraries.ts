import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { placeCopy } from '../sandbox/place-copy.ts';

const WITHIN_MS = 10_000;

/**
 * Copies the loader and libraries that the Node at `node` uses on this host into `folder`, once, for sandboxes whose root
 * file system has others or none (a musl or empty image): the loader as `ld.so`. Returns the folder. Throws when ldd fails, or takes longer
 * than 10 seconds.
 */
export function installLibraries(node: string, folder: string): string {
  if (existsSync(folder)) return folder;
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  const listed = execFileSync('ldd', [node], { encoding: 'utf8', env, timeout: WITHIN_MS, killSignal: 'SIGKILL' });
  const draft = `${folder}.${process.pid}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  for (const { path, name } of librariesIn(listed)) {
    copyFileSync(path, join(draft, name));
    chmodSync(join(draft, name), 0o755);
  }
  chmodSync(draft, 0o755);
  placeCopy(draft, folder);
  return folder;
}

/** Files in the output of ldd(1), and what each is called beside the others. */
function librariesIn(listed: string): readonly { readonly path: string; readonly name: string }[] {
  return listed.split('\n').flatMap((line) => {
    const path = /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line)?.[1];
    if (path === undefined) return [];
    const name = basename(path);
    return [{ path, name: /^ld[-.]/.test(name) ? 'ld.so' : name }];
  });
}
