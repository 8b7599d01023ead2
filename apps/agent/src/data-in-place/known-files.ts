import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '@ringfence/base/platform';
import type { Digest } from '@ringfence/crypto/sign';
import { sha256, whole } from '@ringfence/protocol';
import { z } from 'zod';
import type { FileMark } from './read-folder.ts';

const line = z.tuple([z.string(), whole(0, Number.MAX_SAFE_INTEGER), z.string(), z.string(), z.string(), sha256]);

/** Files of one folder with their digests, as this agent hashed them last; a damaged file of them only means that all is read again. */
export class KnownFiles {
  readonly #path: string;
  readonly #before = new Map<string, { readonly mark: FileMark; readonly digest: Digest }>();
  readonly #now: string[] = [];
  readonly #settledBefore: bigint;

  /** Files that changed after `settledBefore` (milliseconds) are not remembered: a later change could leave the same times. */
  constructor(path: string, settledBefore: number) {
    this.#path = path;
    this.#settledBefore = BigInt(Math.trunc(settledBefore)) * 1_000_000n;
    for (const text of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) this.#take(text);
  }

  /** The digest of a file that is by its mark the one that was hashed. */
  digestOf(path: string, mark: FileMark): Digest | undefined {
    const known = this.#before.get(path);
    if (known === undefined) return undefined;
    const { size, mtime, ctime, inode } = known.mark;
    const same = size === mark.size && mtime === mark.mtime && ctime === mark.ctime && inode === mark.inode;
    return same ? known.digest : undefined;
  }

  /** Notes a file for {@link keep}. */
  note(path: string, { size, mtime, ctime, inode }: FileMark, digest: Digest): void {
    if (BigInt(ctime) >= this.#settledBefore || BigInt(mtime) >= this.#settledBefore) return;
    this.#now.push(JSON.stringify([path, size, mtime, ctime, inode, digest]));
  }

  /** Replaces what was known by what was noted. */
  keep(): void {
    writeFileAtomic(this.#path, `${this.#now.join('\n')}\n`);
  }

  #take(text: string): void {
    try {
      const [path, size, mtime, ctime, inode, digest] = line.parse(JSON.parse(text));
      this.#before.set(path, { mark: { size, mtime, ctime, inode }, digest });
    } catch {
      // An empty or cut line: its file is hashed again.
    }
  }
}
