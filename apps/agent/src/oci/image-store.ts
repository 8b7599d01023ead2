import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { whenAborted, type Clock } from '@ringfence/base';
import { z } from 'zod';
import { clearFolder } from '../machine/clear-folder.ts';
import { parseConfig, type ImageConfig } from './image-document.ts';
import { OciError } from './oci-error.ts';
import type { ResolvedImage } from './resolve-image.ts';
import { unpackImage } from './unpack-image.ts';

const MOST_FILES = 1_000_000;
const kept = z.strictObject({ v: z.literal(1), bytes: z.int().min(0), config: z.unknown() });

interface Kept {
  readonly folder: string;
  readonly bytes: number;
  readonly config: ImageConfig;
  users: number;
  /** Goes with its last user; nobody else gets it. */
  doomed: boolean;
}

/** An unpacked image that stays until it is given back. */
export interface UsedImage {
  /** Its root file system; nobody writes it. */
  readonly root: string;
  readonly config: ImageConfig;
  release(): void;
}

/**
 * Unpacked images by digest, those used last, `limit` bytes together. They are shared by all jobs of the machine and outlive the process. A
 * folder is passable and not listable, and the name of each image in it is half random: another user of the machine who knows an image's
 * digest does not find it.
 */
export class ImageStore {
  readonly #folder: string;
  readonly #limit: number;
  /** Oldest use first. */
  readonly #kept = new Map<string, Kept>();
  readonly #coming = new Map<string, Promise<void>>();
  readonly #clock: Clock;
  #drafts = 0;

  /** Takes up what is whole in `folder` and removes the rest. */
  constructor(folder: string, limit: number, clock: Clock) {
    this.#clock = clock;
    this.#folder = folder;
    this.#limit = limit;
    for (const name of readdirSync(folder).toSorted((a, b) => usedAt(join(folder, a)) - usedAt(join(folder, b)))) {
      const found = readKept(join(folder, name));
      const digest = /^([0-9a-f]{64})-[0-9a-f]{32}$/.exec(name)?.[1];
      if (found === undefined || digest === undefined || this.#kept.has(digest)) clearFolder(join(folder, name));
      else this.#kept.set(digest, found);
    }
  }

  /** The image called `digest` (`sha256:…`), unpacked now by `resolve` or before. Throws OciError and errors of the file system. */
  async use(digest: string, resolve: () => Promise<ResolvedImage>, signal: AbortSignal): Promise<UsedImage> {
    const name = digest.slice('sha256:'.length);
    if (!/^[0-9a-f]{64}$/.test(name)) throw new TypeError('an image is known by its SHA-256');
    while (!this.#kept.has(name)) {
      const coming = this.#coming.get(name);
      // Somebody else's job may be stopped on the way: then it is this one's turn.
      if (coming !== undefined) await Promise.race([coming.catch(() => {}), whenAborted(signal)]);
      else await this.#unpack(name, resolve, signal);
      signal.throwIfAborted();
    }
    return this.#take(name);
  }

  /** Removes everything; what a live attempt uses goes when it is given back. Throws errors of the file system. */
  clear(): void {
    for (const [name, image] of this.#kept) {
      if (image.users === 0) clearFolder(image.folder);
      else image.doomed = true;
      this.#kept.delete(name);
    }
  }

  #take(name: string): UsedImage {
    const image = this.#kept.get(name);
    if (image === undefined) throw new TypeError('the image was unpacked a moment ago');
    this.#kept.delete(name);
    this.#kept.set(name, image);
    image.users += 1;
    // Tells the next process which were used last.
    const now = this.#clock.now() / 1000;
    utimesSync(image.folder, now, now);
    let released = false;
    return {
      root: join(image.folder, 'root'),
      config: image.config,
      release: () => {
        if (released) return;
        released = true;
        image.users -= 1;
        if (image.doomed && image.users === 0) clearFolder(image.folder);
      },
    };
  }

  async #unpack(name: string, resolve: () => Promise<ResolvedImage>, signal: AbortSignal): Promise<void> {
    const unpacking = this.#unpackNow(name, resolve, signal);
    this.#coming.set(name, unpacking);
    try {
      await unpacking;
    } finally {
      this.#coming.delete(name);
    }
  }

  async #unpackNow(name: string, resolve: () => Promise<ResolvedImage>, signal: AbortSignal): Promise<void> {
    const image = await resolve();
    this.#drafts += 1;
    const draft = join(this.#folder, `new-${this.#drafts}`);
    try {
      mkdirSync(join(draft, 'root'), { recursive: true, mode: 0o755 });
      const limits = { bytes: this.#limit, files: MOST_FILES };
      const bytes = await unpackImage(image, join(draft, 'root'), { limits, signal });
      this.#makeRoom(bytes);
      const { config } = image;
      writeFileSync(join(draft, 'image.json'), JSON.stringify({ v: 1, bytes, config }), { mode: 0o600 });
      const folder = join(this.#folder, `${name}-${randomBytes(16).toString('hex')}`);
      renameSync(draft, folder);
      this.#kept.set(name, { folder, bytes, config, users: 0, doomed: false });
    } finally {
      clearFolder(draft);
    }
  }

  #makeRoom(bytes: number): void {
    let total = [...this.#kept.values()].reduce((sum, image) => sum + image.bytes, bytes);
    for (const [name, image] of this.#kept) {
      if (total <= this.#limit) return;
      if (image.users > 0) continue;
      this.#kept.delete(name);
      clearFolder(image.folder);
      total -= image.bytes;
    }
    if (total > this.#limit)
      throw new OciError('too-large', 'images in use leave no room for this one', {
        next: 'start the agent with a larger --image-cache-size, or wait for other jobs to end',
      });
  }
}

function readKept(folder: string): Kept | undefined {
  try {
    const { bytes, config } = kept.parse(JSON.parse(readFileSync(join(folder, 'image.json'), 'utf8')));
    if (!existsSync(join(folder, 'root'))) return undefined;
    return { folder, bytes, config: parseConfig(Buffer.from(JSON.stringify(config))), users: 0, doomed: false };
  } catch {
    return undefined;
  }
}

function usedAt(folder: string): number {
  return statSync(folder).mtimeMs;
}
