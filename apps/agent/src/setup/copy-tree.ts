import { constants } from 'node:fs';
import { chmod, copyFile, lstat, lutimes, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** How much may be copied, and what ends the copying. */
export interface CopyLimits {
  readonly bytes: number;
  readonly entries: number;
  readonly depth: number;
  readonly signal: AbortSignal;
}

/** The tree holds something that is not copied, or more than may be. */
class NotCopied extends Error {}

const AT_ONCE = 32;

/**
 * Copies a folder that nobody changes meanwhile to the new folder `to`: files with their times and modes (never setuid), links as they
 * are written, and nothing else. Resolves with the bytes of its files; throws NotCopied, and errors of the file system.
 */
export async function copyTree(from: string, to: string, limits: CopyLimits): Promise<number> {
  let bytes = 0;
  let entries = 0;
  const copy = async (source: string, target: string, depth: number): Promise<void> => {
    const stat = await lstat(source);
    limits.signal.throwIfAborted();
    entries += 1;
    bytes += stat.isFile() ? stat.size : 0;
    if (bytes > limits.bytes || entries > limits.entries || depth > limits.depth) throw new NotCopied('too large');
    if (stat.isSymbolicLink()) return symlink(await readlink(source), target);
    if (stat.isDirectory()) {
      await mkdir(target, { mode: 0o700 });
      const names = await readdir(source);
      for (let at = 0; at < names.length; at += AT_ONCE)
        await allOf(
          names.slice(at, at + AT_ONCE).map((name) => copy(join(source, name), join(target, name), depth + 1)),
        );
    } else if (stat.isFile()) await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    else throw new NotCopied('neither file, folder nor link');
    await chmod(target, stat.mode & 0o777);
    await lutimes(target, stat.atime, stat.mtime);
  };
  await copy(from, to, 0);
  return bytes;
}

/** Waits for all before it throws, so that nothing writes any more when the copy is thrown away. */
async function allOf(copies: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(copies)) if (end.status === 'rejected') throw end.reason;
}
