import { OciError } from './oci-error.ts';

/** Bytes of a block of a tar archive. */
export const TAR_BLOCK = 512;

const ZEROS = Buffer.alloc(TAR_BLOCK);

/** One header block, as it stands. */
export interface TarHeader {
  readonly name: Buffer;
  readonly link: Buffer;
  readonly type: string;
  /** Bytes that follow. */
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** A header of POSIX ustar or GNU tar (tar(5)); null for a block of zeros. Throws OciError `bad-layer`. */
export function parseTarHeader(block: Buffer): TarHeader | null {
  if (block.equals(ZEROS)) return null;
  if (numberAt(block, 148, 8) !== checksumOf(block)) throw bad('a header of a layer has a wrong checksum');
  const ustar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = ustar ? textAt(block, 345, 155) : Buffer.alloc(0);
  const name = textAt(block, 0, 100);
  const type = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    link: textAt(block, 157, 100),
    type: type === '\0' ? '0' : type,
    size: numberAt(block, 124, 12),
    mode: numberAt(block, 100, 8),
    mtime: numberAt(block, 136, 12),
  };
}

/** Records of an extended header (pax(1)): `length key=value\n`. Throws OciError `bad-layer`. */
export function parsePax(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^[1-9][0-9]{0,8}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw bad('an extended header of a layer cannot be read');
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw bad('an extended header of a layer cannot be read');
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function checksumOf(block: Buffer): number {
  // The field of the sum itself counts as spaces.
  let sum = 8 * 0x20;
  for (let index = 0; index < TAR_BLOCK; index += 1) if (index < 148 || index >= 156) sum += block[index] ?? 0;
  return sum;
}

function textAt(block: Buffer, at: number, length: number): Buffer {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or, with the first bit set, a number in base 256 as GNU tar writes large ones. */
function numberAt(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = field.reduce((sum, byte, index) => sum * 256 + (index === 0 ? byte & 0x7f : byte), 0);
    if (!Number.isSafeInteger(value)) throw bad('a number in a header of a layer is out of range');
    return value;
  }
  const digits = field.toString('latin1').replaceAll('\0', ' ').trim();
  if (digits === '') return 0;
  const value = /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw bad('a number in a header of a layer cannot be read');
  return value;
}

function bad(message: string): OciError {
  return new OciError('bad-layer', message, { next: 'build the image anew' });
}
