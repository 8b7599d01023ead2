import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@ringfence/base/platform';
import { parseDigest, sha256Hex, type Digest } from '@ringfence/crypto/sign';

/**
 * Sealed objects by digest, the ones used last kept up to `limit` bytes. What lies here is sealed, so nobody learns from it without a
 * grant; a damaged file is fetched again. Nothing is synced: a machine that lost power fetches again too.
 */
export class ObjectCache {
  readonly #folder: string;
  readonly #limit: number;
  /** Oldest use first. */
  readonly #sizes = new Map<Digest, number>();
  readonly #fetching = new Map<Digest, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(folder: string, limit: number) {
    this.#folder = folder;
    this.#limit = limit;
    makeFolder(folder);
    for (const { digest, size } of present(folder)) this.#remember(digest, size);
    this.#evict();
  }

  /** The object called `digest`; equal requests at the same time share one fetch. The bytes are checked against the digest. */
  get(digest: Digest, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const kept = this.#read(digest);
    if (kept !== undefined) return Promise.resolve(kept);
    const underWay = this.#fetching.get(digest);
    if (underWay !== undefined) return underWay;
    const started = this.#fetch(digest, fetch).finally(() => this.#fetching.delete(digest));
    this.#fetching.set(digest, started);
    return started;
  }

  /** Removes everything; what is fetched at this moment is kept when it arrives. Throws errors of the file system. */
  clear(): void {
    for (const digest of this.#sizes.keys()) {
      rmSync(this.#path(digest), { force: true });
      this.#forget(digest);
    }
  }

  async #fetch(digest: Digest, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const bytes = await fetch();
    // What does not match is the reader's to refuse; it is never kept.
    if (sha256Hex(bytes) === digest && bytes.length <= this.#limit) this.#keep(digest, bytes);
    return bytes;
  }

  #read(digest: Digest): Uint8Array | undefined {
    const size = this.#sizes.get(digest);
    if (size === undefined) return undefined;
    this.#forget(digest);
    try {
      const bytes = readFileSync(this.#path(digest));
      if (sha256Hex(bytes) === digest) {
        this.#remember(digest, bytes.length);
        return bytes;
      }
    } catch {
      // Gone, as after a clean-up by hand: fetched again.
    }
    rmSync(this.#path(digest), { force: true });
    return undefined;
  }

  #keep(digest: Digest, bytes: Uint8Array): void {
    const path = this.#path(digest);
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch {
      // A full disk costs the cache, not the job.
      rmSync(`${path}.new`, { force: true });
      return;
    }
    this.#remember(digest, bytes.length);
    this.#evict();
  }

  #evict(): void {
    for (const digest of this.#sizes.keys()) {
      if (this.#bytes <= this.#limit) return;
      this.#forget(digest);
      rmSync(this.#path(digest), { force: true });
    }
  }

  #remember(digest: Digest, size: number): void {
    this.#forget(digest);
    this.#sizes.set(digest, size);
    this.#bytes += size;
  }

  #forget(digest: Digest): void {
    this.#bytes -= this.#sizes.get(digest) ?? 0;
    this.#sizes.delete(digest);
  }

  #path(digest: Digest): string {
    return join(this.#folder, digest.slice(0, 2), digest);
  }
}

function present(folder: string): readonly { digest: Digest; size: number }[] {
  const found = readdirSync(folder).flatMap((prefix) =>
    readdirSync(join(folder, prefix)).flatMap((name) => {
      const path = join(folder, prefix, name);
      const digest = parseDigest(name);
      if (digest === undefined) rmSync(path, { force: true });
      return digest === undefined ? [] : [{ digest, ...statOf(path) }];
    }),
  );
  return found.toSorted((a, b) => a.usedAt - b.usedAt);
}

function statOf(path: string): { size: number; usedAt: number } {
  const { size, mtimeMs } = statSync(path);
  return { size, usedAt: mtimeMs };
}
