import { join } from 'node:path';
import { whenAborted, type Clock, type OrgId } from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { DataEntry } from '@ringfence/protocol/payload';
import { DataError } from './data-error.ts';
import { findDataFolder, isPassable, rootsFor, type DataRoot } from './data-folder.ts';
import { KnownFiles } from './known-files.ts';
import { manifestDigest } from './manifest-digest.ts';
import { readFolder } from './read-folder.ts';

/** A folder as it is now. */
export interface DataIndex {
  /** Where it lies when every link on the way is followed. */
  readonly path: string;
  readonly manifest: Digest;
  readonly files: number;
  readonly bytes: number;
  readonly entries: readonly DataEntry[];
}

/** How a folder is looked at. */
export interface IndexWish {
  /** On whose behalf: roots count for the organisation that they were listed for. */
  readonly org: OrgId;
  readonly onProgress?: (files: number, bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Times of files are as coarse as two seconds on some file systems. */
const COARSEST_TIME_MS = 2_000;
/** Bytes and files after which progress is told again. */
const TELL_BYTES = 64 * 1_048_576;
const TELL_FILES = 1_000;

/** Data that lies below folders which the site's operator listed, and what this agent knows of it from having read it before. */
export class DataPlaces {
  readonly #folder: string;
  readonly #roots: readonly DataRoot[];
  readonly #forStrangers: boolean;
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();

  /** `forStrangers`: jobs run as users that own nothing, so data has to be readable to all. */
  constructor(folder: string, options: { roots: readonly DataRoot[]; forStrangers: boolean; clock: Clock }) {
    this.#folder = folder;
    this.#roots = options.roots;
    this.#forStrangers = options.forStrangers;
    this.#clock = options.clock;
    makeFolder(folder);
  }

  /** Reads what changed below `path` since this agent read it last, one folder after the other. Throws DataError. */
  index(path: string, wish: IndexWish): Promise<DataIndex> {
    const before = this.#last;
    // Who leaves does not wait for its turn, which may be hours away; nobody else's comes sooner for it.
    const next = Promise.race([before, whenAborted(wish.signal)]).then(() => this.#index(path, wish));
    this.#last = Promise.allSettled([before, next]);
    return next;
  }

  async #index(path: string, { org, onProgress, signal }: IndexWish): Promise<DataIndex> {
    if (signal.aborted) throw new DataError('aborted', 'whoever asked for it left');
    const folder = findDataFolder(path, rootsFor(this.#roots, org));
    if (this.#forStrangers && !isPassable(folder))
      throw new DataError('not-readable', 'a folder above it does not let the users pass that jobs run as', {
        next: 'chmod o+x the folders above it',
      });
    const settled = this.#clock.now() - COARSEST_TIME_MS;
    const known = new KnownFiles(join(this.#folder, `${sha256Hex(Buffer.from(folder))}.jsonl`), settled);
    const told = { files: 0, bytes: 0 };
    const seen = { files: 0, bytes: 0, read: 0 };
    const tell = (): void => {
      if (seen.files - told.files < TELL_FILES && seen.read - told.bytes < TELL_BYTES) return;
      [told.files, told.bytes] = [seen.files, seen.read];
      onProgress?.(seen.files, seen.read);
    };
    const entries = await readFolder(folder, {
      known: (file, mark) => known.digestOf(file, mark),
      onFile: (file, mark, digest) => {
        known.note(file, mark, digest);
        seen.files += 1;
        seen.bytes += mark.size;
        tell();
      },
      onBytes: (bytes) => {
        seen.read += bytes;
        tell();
      },
      forStrangers: this.#forStrangers,
      signal,
    });
    known.keep();
    return { path: folder, manifest: manifestDigest(entries), files: seen.files, bytes: seen.bytes, entries };
  }
}
