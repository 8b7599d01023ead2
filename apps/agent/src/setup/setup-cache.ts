import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalBytes, type OrgId, type ProjectId } from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { PackManifest } from '@ringfence/protocol/payload';
import { clearFolder } from '../machine/clear-folder.ts';
import { copyTree } from './copy-tree.ts';

const MOST_ENTRIES = 1_000_000;
const DEEPEST = 128;

/**
 * What a result of a setup may be used for: the same setup on the same code of the same project. Chunks are named by the digests under
 * which they were fetched, so equal code counts as equal only where its owner sealed it so.
 */
export function setupKey(parts: {
  org: OrgId;
  project: ProjectId;
  setup: string;
  code: Pick<PackManifest, 'files' | 'links'>;
  /** Where it ran: another level or root file system may leave something else. */
  on?: Readonly<Record<string, string>>;
}): Digest {
  const { org, project, setup, code, on = {} } = parts;
  const files = code.files.map(({ path, executable, chunks }) => ({
    path,
    executable,
    chunks: chunks.map(({ digest }) => digest),
  }));
  const links = code.links.map(({ path, target }) => ({ path, target }));
  return sha256Hex(canonicalBytes({ v: 1, org, project, setup, files, links, on }));
}

interface Kept {
  readonly bytes: number;
  readers: number;
  /** Goes with its last reader. */
  doomed: boolean;
}

/**
 * Code folders as their setup left them, the ones used last, `limit` bytes together. They are payload in the clear: they lie where no job
 * passes, and no longer than this process lives.
 */
export class SetupCache {
  readonly #folder: string;
  readonly #limit: number;
  /** Oldest use first. */
  readonly #kept = new Map<Digest, Kept>();
  #drafts = 0;

  /** `folder` is emptied. */
  constructor(folder: string, limit: number) {
    clearFolder(folder);
    makeFolder(folder);
    this.#folder = folder;
    this.#limit = limit;
  }

  /** Copies the result called `key` to the new folder `to`; false when there is none. Throws errors of the file system. */
  async restore(key: Digest, to: string, signal: AbortSignal): Promise<boolean> {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.doomed) return false;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.readers += 1;
    try {
      await copyTree(this.#path(key), to, { ...this.#rule, signal });
      return true;
    } finally {
      kept.readers -= 1;
      if (kept.doomed && kept.readers === 0) this.#remove(key);
    }
  }

  /** Removes everything; what a live attempt copies at this moment goes as soon as it has. Throws errors of the file system. */
  clear(): void {
    for (const [key, kept] of this.#kept)
      if (kept.readers === 0) this.#remove(key);
      else kept.doomed = true;
  }

  /** Keeps a copy of `from` as `key`. False when it cannot be kept: that costs the next attempt time and this one nothing. */
  async keep(key: Digest, from: string, signal: AbortSignal): Promise<boolean> {
    if (this.#kept.has(key)) return true;
    this.#drafts += 1;
    const draft = join(this.#folder, `new-${this.#drafts}`);
    try {
      const bytes = await copyTree(from, draft, { ...this.#rule, signal });
      if (!this.#makeRoom(bytes) || this.#kept.has(key)) return false;
      renameSync(draft, this.#path(key));
      this.#kept.set(key, { bytes, readers: 0, doomed: false });
      return true;
    } catch {
      return false;
    } finally {
      clearFolder(draft);
    }
  }

  get #rule() {
    return { bytes: this.#limit, entries: MOST_ENTRIES, depth: DEEPEST };
  }

  #makeRoom(bytes: number): boolean {
    let total = [...this.#kept.values()].reduce((sum, kept) => sum + kept.bytes, bytes);
    for (const [key, kept] of this.#kept) {
      if (total <= this.#limit) return true;
      if (kept.readers > 0) continue;
      this.#remove(key);
      total -= kept.bytes;
    }
    return total <= this.#limit;
  }

  #remove(key: Digest): void {
    clearFolder(this.#path(key));
    this.#kept.delete(key);
  }

  #path(key: Digest): string {
    return join(this.#folder, key);
  }
}
