import { MOST_ENTRY_BYTES } from './merkle-hash.ts';
import { TILE_WIDTH } from './tile-coordinate.ts';

/** A bundle's bytes: each entry behind its length as a big-endian 16-bit number (C2SP tlog-tiles). Throws `RangeError` for too many or too long ones. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length > TILE_WIDTH) throw new RangeError('a bundle holds at most 256 entries');
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MOST_ENTRY_BYTES) throw new RangeError('an entry has at most 65,535 bytes');
    bytes.writeUInt16BE(entry.length, at);
    bytes.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bytes;
}

/** The entries of a bundle of `width`, as views of its bytes; undefined when it is cut off or holds another number. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] | undefined {
  const entries = splitBundle(bytes);
  return entries?.length === width ? entries : undefined;
}

/** However many entries the bytes hold, at most 256, as views of them; undefined when the last is cut off. */
export function splitBundle(bytes: Uint8Array): Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const [high, low] = [bytes[at], bytes[at + 1]];
    if (high === undefined || low === undefined || entries.length === TILE_WIDTH) return undefined;
    const end = at + 2 + high * 256 + low;
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
