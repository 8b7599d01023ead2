// Bytes planted in payload, and the search for them in whatever form they might have crossed.
import { randomBytes } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';

/** A planted text: 32 letters that occur nowhere by chance; `where` names the place it was planted in. */
export interface Marker {
  readonly where: string;
  readonly text: string;
}

/** Something of a marker was found. */
export interface Finding {
  readonly where: string;
  readonly form: 'raw' | 'hex' | 'base64' | 'compressed';
  readonly offset: number;
}

/** A fresh marker of lower-case letters, so that it is a legal name, path, value and log word. */
export function plant(where: string): Marker {
  const text = [...randomBytes(32)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('');
  return { where, text };
}

/** Length of the pieces that are looked for: a marker that was split leaves at least one whole piece in 26^10 by chance never. */
const PIECE = 10;

interface Needle {
  readonly where: string;
  readonly form: 'raw' | 'hex' | 'base64';
  readonly bytes: Buffer;
}

/** Needles by their first four bytes, with a table that says for almost every other position that none begins there. */
export interface Needles {
  readonly byWord: ReadonlyMap<number, readonly Needle[]>;
  readonly maybe: Uint8Array;
}

const TABLE_BITS = 20;

/** Every spelling of every piece of the markers. */
export function needlesOf(markers: readonly Marker[]): Needles {
  const byWord = new Map<number, Needle[]>();
  const maybe = new Uint8Array(1 << TABLE_BITS);
  for (const needle of markers.flatMap(spellings)) {
    const word = needle.bytes.readInt32LE();
    byWord.set(word, [...(byWord.get(word) ?? []), needle]);
    maybe[place(word)] = 1;
  }
  return { byWord, maybe };
}

function spellings({ where, text }: Marker): Needle[] {
  const needles: Needle[] = [];
  for (let at = 0; at + PIECE <= text.length; at += 1) {
    const piece = Buffer.from(text.slice(at, at + PIECE));
    needles.push({ where, form: 'raw', bytes: piece });
    needles.push({ where, form: 'hex', bytes: Buffer.from(piece.toString('hex')) });
    needles.push({ where, form: 'hex', bytes: Buffer.from(piece.toString('hex').toUpperCase()) });
    needles.push({ where, form: 'base64', bytes: base64Core(piece) });
  }
  return needles;
}

function place(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS);
}

/** The letters of base64 that depend on `piece` alone when it starts at a multiple of three; some window of the marker does. */
function base64Core(piece: Buffer): Buffer {
  return Buffer.from(piece.toString('base64').slice(0, Math.floor((piece.length * 8) / 6)));
}

/** First occurrence of each marker and form in `haystack`, compressed streams inside it included. */
export function findMarkers(haystack: Buffer, needles: Needles): Finding[] {
  const found = findPlain(haystack, needles);
  for (const { offset, bytes } of inflated(haystack))
    found.push(...findPlain(bytes, needles).map(({ where }) => ({ where, form: 'compressed' as const, offset })));
  return found;
}

function findPlain(haystack: Buffer, { byWord, maybe }: Needles): Finding[] {
  const found = new Map<string, Finding>();
  let word = 0;
  for (let end = 0; end < haystack.length; end += 1) {
    word = (word >>> 8) | ((haystack[end] ?? 0) << 24);
    if (maybe[Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS)] !== 1) continue;
    const offset = end - 3;
    for (const { where, form, bytes } of byWord.get(word) ?? []) {
      if (offset < 0 || offset + bytes.length > haystack.length || found.has(`${where} ${form}`)) continue;
      if (haystack.compare(bytes, 0, bytes.length, offset, offset + bytes.length) === 0)
        found.set(`${where} ${form}`, { where, form, offset });
    }
  }
  return [...found.values()];
}

const MOST_OUTPUT = 64 * 1024 * 1024;

/** What lies in gzip (RFC 1952) and zlib (RFC 1950) streams that start anywhere in `haystack`; trailers are not checked. */
function* inflated(haystack: Buffer): Generator<{ offset: number; bytes: Buffer }> {
  for (let offset = 0; offset + 2 < haystack.length; offset += 1) {
    const first = haystack[offset] ?? 0;
    const second = haystack[offset + 1] ?? 0;
    if (first === 0x1f && second === 0x8b) yield* attempt(haystack, offset + gzipHeaderLength(haystack, offset));
    if (first === 0x78 && ((first << 8) | second) % 31 === 0) yield* attempt(haystack, offset + 2);
  }
}

const GZIP_NAME = 0x08;
const GZIP_COMMENT = 0x10;

function gzipHeaderLength(haystack: Buffer, offset: number): number {
  const flags = haystack[offset + 3] ?? 0;
  let end = offset + 10;
  for (const field of [GZIP_NAME, GZIP_COMMENT]) if ((flags & field) !== 0) end = haystack.indexOf(0, end) + 1;
  return end - offset;
}

function* attempt(haystack: Buffer, offset: number): Generator<{ offset: number; bytes: Buffer }> {
  try {
    const bytes = inflateRawSync(haystack.subarray(offset), {
      maxOutputLength: MOST_OUTPUT,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    if (bytes.length > 0) yield { offset, bytes };
  } catch {
    // Not a stream that starts here.
  }
}
