import { malformed } from './byte-reader.ts';

/** A set of numbers below `size` as bits: number i is bit i mod 8, from the least, of byte ⌊i / 8⌋; spare bits are zero. */
export function encodeSet(members: Iterable<number>, size: number): Uint8Array {
  const bytes = new Uint8Array(setBytes(size));
  for (const member of members) bytes[member >> 3] = (bytes[member >> 3] as number) | (1 << (member & 7));
  return bytes;
}

/** The numbers of a set, ascending; throws FlError `malformed-frame` for another length or spare bits that are set. */
export function decodeSet(bytes: Uint8Array, size: number): number[] {
  if (bytes.length !== setBytes(size)) throw malformed();
  const members: number[] = [];
  for (let at = 0; at < 8 * bytes.length; at += 1) {
    if ((((bytes[at >> 3] as number) >> (at & 7)) & 1) === 0) continue;
    if (at >= size) throw malformed();
    members.push(at);
  }
  return members;
}

/** Bytes of a set of numbers below `size`. */
export function setBytes(size: number): number {
  return Math.ceil(size / 8);
}
