import { refused, type Refused } from './refusal.ts';
import { readSafeUint64, writeSafeUint64 } from './inner-frame.ts';
import { classOfSize, SEALED_HEADER_BYTES, type SizeClass } from './size-class.ts';

/** The version byte that every frame begins with. */
export const FRAME_VERSION = 1;

/** What a sealed frame says in clear. */
export interface SealedHeader {
  readonly ok: true;
  readonly size: SizeClass;
  readonly sequence: number;
}

/** The 12 bytes before the ciphertext: version, class, zero, sequence. They are the AAD. */
export function sealedHeader(size: SizeClass, sequence: number): Uint8Array {
  const header = Buffer.alloc(SEALED_HEADER_BYTES);
  header[0] = FRAME_VERSION;
  header[1] = size;
  writeSafeUint64(header, sequence, 4);
  return header;
}

/** Reads the clear part of a frame that arrived; refuses `size`, `version`, `class`, `reserved` and `sequence`. */
export function readSealedHeader(frame: Uint8Array): SealedHeader | Refused {
  const size = classOfSize(frame.length);
  if (size === undefined) return refused('size');
  const view = Buffer.from(frame.buffer, frame.byteOffset, SEALED_HEADER_BYTES);
  if (view[0] !== FRAME_VERSION) return refused('version');
  if (view[1] !== size) return refused('class');
  if (view.readUInt16BE(2) !== 0) return refused('reserved');
  const sequence = readSafeUint64(view, 4);
  return sequence === undefined ? refused('sequence') : { ok: true, size, sequence };
}
