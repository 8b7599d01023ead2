import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../scripts/house/index.ts';

/** Builds this checkout's archive and unpacks it below `root`: what is measured is what is shipped. Returns its folder. */
export function unpackRelease(root: string): string {
  execFileSync(process.execPath, [join(CHECKOUT, 'scripts/build.ts'), '--out', root], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const archive = readdirSync(root).find((name) => name.endsWith(`linux-${process.arch}.tar.gz`));
  if (archive === undefined) throw new Error('the build made no archive for this platform');
  execFileSync('tar', ['xzf', join(root, archive), '-C', root]);
  return join(root, archive.replace(/\.tar\.gz$/, ''));
}
