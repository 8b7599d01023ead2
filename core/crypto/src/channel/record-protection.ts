import { createCipheriv, createDecipheriv } from 'node:crypto';
import { cannotOpen, CryptoError } from '../crypto-error.ts';
import type { TrafficKey } from './traffic-key.ts';

/** Bytes that sealing adds: the AES-GCM tag. */
export const RECORD_TAG_BYTES = 16;
/**
 * Records per key. At 8 KiB a record this keeps the distance of AES-GCM from an ideal cipher below 2^-46
 * (RFC 8446 §5.5 reasons in the same way), and the budget of a link never comes near.
 */
export const MAX_RECORDS = 2 ** 32;

const ALGORITHM = 'aes-256-gcm';
const nonce = Buffer.alloc(12);

/**
 * `plaintext` sealed as record number `sequence`: ciphertext ‖ tag, AES-256-GCM with nonce iv XOR sequence (RFC 8446
 * §5.3). A sequence number is used once per key, which is the caller's to keep. Throws CryptoError `limit-reached`.
 */
export function sealRecord(key: TrafficKey, sequence: number, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, key.object, nonceOf(key, sequence)).setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([ciphertext, cipher.getAuthTag()]);
}

/** Opens what {@link sealRecord} made; throws CryptoError `cannot-open` whatever is wrong. */
export function openRecord(key: TrafficKey, sequence: number, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - RECORD_TAG_BYTES;
  if (end < 0) throw cannotOpen();
  const decipher = createDecipheriv(ALGORITHM, key.object, nonceOf(key, sequence)).setAAD(aad);
  const plaintext = decipher.update(sealed.subarray(0, end));
  try {
    decipher.setAuthTag(sealed.subarray(end)).final();
  } catch {
    plaintext.fill(0);
    throw cannotOpen();
  }
  return plaintext;
}

/** The cipher copies the nonce before this returns to anybody else, so one buffer serves all records. */
function nonceOf(key: TrafficKey, sequence: number): Uint8Array {
  if (!Number.isSafeInteger(sequence) || sequence < 0 || sequence >= MAX_RECORDS)
    throw new CryptoError('limit-reached', 'this key has sealed all the records that it may', {
      next: 'open a new connection',
    });
  nonce.set(key.iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sequence) >>> 0, 8);
  return nonce;
}
