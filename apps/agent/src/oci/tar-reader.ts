import { OciError } from './oci-error.ts';
import { parsePax, parseTarHeader, TAR_BLOCK, type TarHeader } from './tar-header.ts';

/** What an entry of an archive is; devices and pipes are one kind, since none is ever made. */
export type TarKind = 'file' | 'folder' | 'link' | 'hardlink' | 'special';

/** One entry of an archive, its extended headers applied. */
export interface TarEntry {
  readonly kind: TarKind;
  readonly name: string;
  /** Target of a link. */
  readonly target: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** An entry, and its bytes while it is the last that was read. */
export interface ReadEntry {
  readonly entry: TarEntry;
  /** Where its bytes begin in the archive. */
  readonly offset: number;
  readonly body: () => AsyncGenerator<Buffer, void, void>;
}

const KINDS: Readonly<Record<string, TarKind>> = {
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'link',
  '3': 'special',
  '4': 'special',
  '5': 'folder',
  '6': 'special',
};
/** Most bytes of an extended header or a long name. */
const LARGEST_EXTENSION = 1_048_576;

/** What headers before an entry say about it. */
interface Extension {
  name?: Buffer;
  link?: Buffer;
  size?: number;
  mtime?: number;
}

/** Reads an archive entry by entry, in memory that does not grow with it. Throws OciError `bad-layer`. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry, void, void> {
  const reader = new BlockReader(source);
  let extension: Extension = {};
  for (;;) {
    const block = await reader.take(TAR_BLOCK);
    const header = block === null ? null : parseTarHeader(block);
    if (header === null) break;
    if (await readExtension(reader, header, extension)) continue;
    const entry = entryOf(header, extension);
    extension = {};
    const size = entry.kind === 'file' ? entry.size : 0;
    let left = size;
    yield {
      entry,
      offset: reader.position,
      body: async function* () {
        while (left > 0) {
          const part = await reader.some(left);
          left -= part.length;
          yield part;
        }
      },
    };
    while (left > 0) left -= (await reader.some(left)).length;
    await reader.skipPadding(size);
  }
  // The digest of an archive covers what follows its end.
  await reader.drain();
}

async function readExtension(reader: BlockReader, header: TarHeader, into: Extension): Promise<boolean> {
  if (!'xgLK'.includes(header.type)) return false;
  if (header.size > LARGEST_EXTENSION) throw bad('an extended header of a layer is too large');
  const bytes = (await reader.take(header.size)) ?? Buffer.alloc(0);
  await reader.skipPadding(header.size);
  if (header.type === 'L') into.name = untilNul(bytes);
  else if (header.type === 'K') into.link = untilNul(bytes);
  else applyPax(parsePax(bytes), header.type === 'x' ? into : null);
  return true;
}

function applyPax(records: ReadonlyMap<string, Buffer>, into: Extension | null): void {
  for (const [key, value] of records) {
    if (key.startsWith('GNU.sparse')) throw bad('a layer holds a sparse file in a form that is not read here');
    const known = key === 'path' || key === 'linkpath' || key === 'size';
    // For all entries at once these make no sense; a reader that took them would see another archive.
    if (into === null && known) throw bad('a layer renames all of its entries at once');
    if (into === null) continue;
    if (key === 'path') into.name = value;
    if (key === 'linkpath') into.link = value;
    if (key === 'size') into.size = wholeNumber(value);
    if (key === 'mtime') into.mtime = Math.floor(Number(value.toString('latin1'))) || 0;
  }
}

function entryOf(header: TarHeader, extension: Extension): TarEntry {
  const kind = Object.hasOwn(KINDS, header.type) ? KINDS[header.type] : undefined;
  if (kind === undefined) throw bad('a layer holds an entry of a kind that is not known here');
  const name = text(extension.name ?? header.name);
  return {
    // Before POSIX a folder was a file whose name ends with a slash.
    kind: kind === 'file' && name.endsWith('/') ? 'folder' : kind,
    name,
    target: text(extension.link ?? header.link),
    size: extension.size ?? header.size,
    mode: header.mode,
    mtime: extension.mtime ?? header.mtime,
  };
}

function text(bytes: Buffer): string {
  if (bytes.includes(0)) throw bad('a name in a layer holds a NUL');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw bad('a name in a layer is no UTF-8');
  }
}

function wholeNumber(value: Buffer): number {
  const digits = value.toString('latin1');
  const number = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw bad('a size in a layer cannot be read');
  return number;
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function bad(message: string): OciError {
  return new OciError('bad-layer', message, { next: 'build the image anew' });
}

/** Hands out a stream of parts in pieces of given length. */
class BlockReader {
  readonly #parts: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#parts = source[Symbol.asyncIterator]();
  }

  /** How many bytes were handed out. */
  get position(): number {
    return this.#position;
  }

  /** Exactly `length` bytes; null at the end of the stream before the first. */
  async take(length: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0;) {
      if (this.#held.length === 0 && !(await this.#more())) {
        if (parts.length === 0) return null;
        throw bad('a layer ends in the middle of an entry');
      }
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      this.#position += part.length;
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** At least one byte and at most `most`. */
  async some(most: number): Promise<Buffer> {
    if (this.#held.length === 0 && !(await this.#more())) throw bad('a layer ends in the middle of an entry');
    const part = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(part.length);
    this.#position += part.length;
    return part;
  }

  async skipPadding(size: number): Promise<void> {
    const rest = size % TAR_BLOCK;
    if (rest > 0) await this.take(TAR_BLOCK - rest);
  }

  async drain(): Promise<void> {
    this.#held = Buffer.alloc(0);
    while (await this.#more()) this.#held = Buffer.alloc(0);
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const next = await this.#parts.next();
      if (next.done === true) return false;
      if (next.value.length === 0) continue;
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
      return true;
    }
  }
}
