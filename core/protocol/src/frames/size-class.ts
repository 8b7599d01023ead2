/** Bytes of a frame on the wire, by size class: every WebSocket message has one of these lengths. */
export const FRAME_SIZES = [512, 2_048, 8_192] as const;
/** Index into {@link FRAME_SIZES}. */
export type SizeClass = 0 | 1 | 2;

/** Bytes before the ciphertext of a sealed frame. */
export const SEALED_HEADER_BYTES = 12;
/** Bytes of the authentication tag after it. */
export const SEALED_TAG_BYTES = 16;
/** Bytes of an inner frame before its body. */
export const INNER_HEADER_BYTES = 46;
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

const OVERHEAD = SEALED_HEADER_BYTES + SEALED_TAG_BYTES;

/** The class of a frame of `bytes` bytes; undefined for any other length. */
export function classOfSize(bytes: number): SizeClass | undefined {
  if (bytes === 512) return 0;
  if (bytes === 2_048) return 1;
  return bytes === 8_192 ? 2 : undefined;
}

/** The smallest class that holds an inner frame of `bytes` bytes; undefined when none does. */
export function classForInner(bytes: number): SizeClass | undefined {
  if (bytes <= innerBytes(0)) return 0;
  if (bytes <= innerBytes(1)) return 1;
  return bytes <= innerBytes(2) ? 2 : undefined;
}

/** Bytes of an inner frame with its padding. */
export function innerBytes(size: SizeClass): number {
  return FRAME_SIZES[size] - OVERHEAD;
}

/** The longest body in bytes that a frame carries. */
export function longestBody(signed: boolean): number {
  return innerBytes(2) - INNER_HEADER_BYTES - (signed ? SIGNATURE_BYTES : 0);
}

/** Whether every byte of `bytes` from `start` on is zero. */
export function zeroFrom(bytes: Uint8Array, start: number): boolean {
  const padding = Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  return padding.equals(ZEROS.subarray(0, padding.length));
}

const ZEROS = Buffer.alloc(FRAME_SIZES[2]);
