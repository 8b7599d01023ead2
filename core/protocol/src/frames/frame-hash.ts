import { utf8 } from '@ringfence/base';
import { sha256 } from '@ringfence/crypto/sign';
import { writeSafeUint64 } from './inner-frame.ts';

const TAG = utf8('ringfence/frame/v1');

/** SHA-256 of tag ‖ sequence ‖ inner frame without padding: what the next frame in this direction carries as its chain. */
export function frameHash(sequence: number, unpadded: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(TAG.length + 8 + unpadded.length);
  input.set(TAG);
  writeSafeUint64(input, sequence, TAG.length);
  input.set(unpadded, TAG.length + 8);
  return sha256(input);
}
