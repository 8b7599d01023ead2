import { cannotOpen } from '../crypto-error.ts';

/** Bytes of the header: magic, version, segment size, reserved, salt. */
export const HEADER_BYTES = 40;
/** Bytes of the salt from which each object's segment key is derived. */
export const SALT_BYTES = 32;
/** Segments of 256 KiB, what this release writes. */
export const DEFAULT_SEGMENT_LOG2 = 18;
/** Segment sizes that a reader takes: 4 KiB to 16 MiB, so that no header makes it hold more. */
export const SEGMENT_LOG2 = { least: 12, most: 24 } as const;

const MAGIC = Buffer.from('RFO1', 'latin1');
const FORMAT_VERSION = 1;

/** What an object's header says. */
export interface ObjectHeader {
  /** Plaintext bytes of a segment, as a power of two. */
  readonly segmentLog2: number;
  readonly salt: Uint8Array;
}

/** The header's 40 bytes. */
export function writeHeader(header: ObjectHeader): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes[4] = FORMAT_VERSION;
  bytes[5] = header.segmentLog2;
  bytes.set(header.salt, 8);
  return bytes;
}

/** Reads 40 bytes of header; throws CryptoError `cannot-open` for anything that this version does not write. */
export function readHeader(bytes: Uint8Array): ObjectHeader {
  const segmentLog2 = bytes[5] ?? 0;
  if (bytes.length !== HEADER_BYTES || MAGIC.compare(bytes, 0, 4) !== 0 || bytes[4] !== FORMAT_VERSION)
    throw cannotOpen();
  if (segmentLog2 < SEGMENT_LOG2.least || segmentLog2 > SEGMENT_LOG2.most) throw cannotOpen();
  if (bytes[6] !== 0 || bytes[7] !== 0) throw cannotOpen();
  return { segmentLog2, salt: bytes.slice(8) };
}
