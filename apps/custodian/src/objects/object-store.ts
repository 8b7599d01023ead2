import { createReadStream, existsSync, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex, type Rng } from '@ringfence/base';
import { makeFolder, syncFolder } from '@ringfence/base/platform';
import { Sha256, type Digest } from '@ringfence/crypto/sign';
import type { Fault } from '../fault-points.ts';

/** A sealed object on its way to disk. */
export interface IncomingObject {
  /** Takes the next bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the object durable under its digest, or forgets it and throws errors of the file system. */
  keep(): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Forgets it. */
  drop(): Promise<void>;
}

/**
 * Sealed objects by the SHA-256 of their bytes, in `folder/ab/cd/DIGEST`. A file that has its name is complete and on disk: temporary file,
 * fsync, rename, fsync of the folder.
 */
export class ObjectStore {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #rng: Rng;
  readonly #fault: Fault;
  readonly #mayWrite: () => void;
  #holds = 0;

  private constructor(folder: string, parts: { rng: Rng; fault: Fault; mayWrite: () => void }) {
    this.#folder = folder;
    this.#incoming = join(folder, 'incoming');
    this.#rng = parts.rng;
    this.#fault = parts.fault;
    this.#mayWrite = parts.mayWrite;
  }

  /** Opens the store; what a crash left half-written is removed. `mayWrite` throws when this process may write no more. */
  static async open(folder: string, rng: Rng, fault: Fault, mayWrite: () => void = () => {}): Promise<ObjectStore> {
    const store = new ObjectStore(folder, { rng, fault, mayWrite });
    await rm(store.#incoming, { recursive: true, force: true });
    makeFolder(store.#incoming);
    return store;
  }

  /** Begins to store an object. */
  async receive(): Promise<IncomingObject> {
    this.#mayWrite();
    const temporary = join(this.#incoming, toHex(this.#rng.bytes(16)));
    const file = await open(temporary, 'wx', 0o600);
    const hash = new Sha256();
    let size = 0;
    const drop = async (): Promise<void> => {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
    };
    return {
      write: async (bytes) => {
        hash.update(bytes);
        size += bytes.length;
        await writeAll(file, bytes);
      },
      keep: async () => {
        const digest = hash.hex();
        try {
          await this.#keep(file, temporary, digest);
        } catch (error) {
          // On a full disk, for one: it would stay full.
          await drop();
          throw error;
        }
        return { digest, size };
      },
      drop,
    };
  }

  /** The bytes of an object as a stream; undefined when it is not here. */
  async read(digest: Digest): Promise<{ readonly stream: ReadStream; readonly size: number } | undefined> {
    const path = this.#pathOf(digest);
    if (!existsSync(path)) return undefined;
    const { size } = await stat(path);
    return { stream: createReadStream(path, { highWaterMark: 262_144 }), size };
  }

  /** The bytes of an object of at most `most` bytes; undefined when it is not here or larger. */
  async readWhole(digest: Digest, most: number): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(digest);
    if (!existsSync(path) || (await stat(path)).size > most) return undefined;
    return readFile(path);
  }

  /** Removes an object's file. */
  async remove(digest: Digest): Promise<void> {
    this.#mayWrite();
    await rm(this.#pathOf(digest), { force: true });
  }

  /** Whether an object's file is here. */
  has(digest: Digest): boolean {
    return existsSync(this.#pathOf(digest));
  }

  /** Files stay until the returned function is called: a backup reads them. */
  hold(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (held) this.#holds -= 1;
      held = false;
    };
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Every digest that is here. */
  async *all(): AsyncGenerator<string> {
    for (const first of await readdir(this.#folder))
      if (first.length === 2)
        for (const second of await readdir(join(this.#folder, first)))
          yield* await readdir(join(this.#folder, first, second));
  }

  async #keep(file: FileHandle, temporary: string, digest: Digest): Promise<void> {
    await file.sync();
    await file.close();
    const folder = join(this.#folder, digest.slice(0, 2), digest.slice(2, 4));
    if (!existsSync(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      syncFolder(join(this.#folder, digest.slice(0, 2)));
      syncFolder(this.#folder);
    }
    this.#fault('object-before-rename');
    this.#mayWrite();
    await rename(temporary, this.#pathOf(digest));
    syncFolder(folder);
    this.#fault('object-after-rename');
  }

  #pathOf(digest: Digest): string {
    return join(this.#folder, digest.slice(0, 2), digest.slice(2, 4), digest);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}
