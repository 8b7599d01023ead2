import { closeSync, fdatasyncSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const PIECE = 1_048_576;

/** The bytes of a file piece by piece; a name that ends in `.gz` is unpacked. Throws what reading throws. */
export function* piecesOf(path: string): Generator<Uint8Array> {
  if (path.endsWith('.gz')) return yield gunzipSync(readFileSync(path));
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const piece = Buffer.alloc(PIECE);
      const length = readSync(file, piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

/** A file that is written beside its place, and takes it at once when it is whole and on disk. */
export class DraftFile implements Disposable {
  readonly #path: string;
  #file: number | undefined;

  /** Draft of `path`; a draft that a crash left is written over. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(`${path}.tmp`, 'w', 0o600);
  }

  /** Appends. */
  write(bytes: string | Uint8Array): void {
    const whole = Buffer.from(bytes);
    for (let at = 0; at < whole.length;) at += writeSync(this.#open, whole, at);
  }

  /** Syncs, and puts the file in its place; the folder has to be synced by the caller. */
  place(): void {
    fdatasyncSync(this.#open);
    this[Symbol.dispose]();
    renameSync(`${this.#path}.tmp`, this.#path);
  }

  /** Closes a draft that is given up; the next one of the same place writes over it. */
  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  get #open(): number {
    if (this.#file === undefined) throw new TypeError('the draft is in its place already');
    return this.#file;
  }
}
