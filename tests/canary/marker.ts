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

/** Every spelling of every piece of the markers. */
export function needlesOf(markers: readonly Marker[]): Needle[] {
  return markers.flatMap(({ where, text }) => {
    const needles: Needle[] = [];
    for (let at = 0; at + PIECE <= text.length; at += 1) {
      const piece = Buffer.from(text.slice(at, at + PIECE));
      needles.push({ where, form: 'raw', bytes: piece });
      needles.push({ where, form: 'hex', bytes: Buffer.from(piece.toString('hex')) });
      needles.push({ where, form: 'hex', bytes: Buffer.from(piece.toString('hex').toUpperCase()) });
      needles.push({ where, form: 'base64', bytes: base64Core(piece) });
    }
    return needles;
  });
}

/** The letters of base64 that depend on `piece` alone when it starts at a multiple of three; some window of the marker does. */
function base64Core(piece: Buffer): Buffer {
  return Buffer.from(piece.toString('base64').slice(0, Math.floor((piece.length * 8) / 6)));
}

/** First occurrence of each needle's marker and form in `haystack`, compressed streams inside it included. */
export function findMarkers(haystack: Buffer, needles: readonly Needle[]): Finding[] {
  const found = findPlain(haystack, needles);
  for (const { offset, bytes } of inflated(haystack))
    found.push(...findPlain(bytes, needles).map(({ where }) => ({ where, form: 'compressed' as const, offset })));
  return found;
}

function findPlain(haystack: Buffer, needles: readonly Needle[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const { where, form, bytes } of needles) {
    if (found.has(`${where} ${form}`)) continue;
    const offset = haystack.indexOf(bytes);
    if (offset >= 0) found.set(`${where} ${form}`, { where, form, offset });
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
