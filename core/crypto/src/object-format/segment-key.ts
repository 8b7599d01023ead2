import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { concatBytes, utf8 } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import type { DataKey } from './data-key.ts';
import { identityHash, type ObjectIdentity } from './object-identity.ts';

/** Bytes of the tag after each segment's ciphertext. */
export const TAG_BYTES = 16;
/** The cipher of every segment. */
export const SEGMENT_CIPHER = 'aes-256-gcm';

const INFO = utf8('ringfence/object/v1');
const MAX_SEGMENTS = 2 ** 32;

/** What all segments of one sealed object share. */
export interface SegmentKey {
  readonly key: KeyObject;
  readonly aad: Uint8Array;
}

/**
 * Key and AAD of an object's segments: HKDF-SHA256 of the data key with the header's salt, and SHA-256 of the identity
 * followed by the header. The fresh salt keeps nonces apart even if a data key seals twice (Hoang and Shen, 2020,
 * "Security of Streaming Encryption in Google's Tink Library").
 */
export function segmentKey(options: {
  dataKey: DataKey;
  identity: ObjectIdentity;
  header: Uint8Array;
  salt: Uint8Array;
}): SegmentKey {
  const derived = new Uint8Array(hkdfSync('sha256', options.dataKey.expose(), options.salt, INFO, 32));
  const key = createSecretKey(derived);
  derived.fill(0);
  return { key, aad: concatBytes(identityHash(options.identity), options.header) };
}

/**
 * STREAM's nonce (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): seven zero bytes, the segment's number, and whether it
 * is the last. Throws CryptoError `limit-reached` beyond 2^32 segments.
 */
export function segmentNonce(index: number, last: boolean): Uint8Array {
  if (index >= MAX_SEGMENTS) throw new CryptoError('limit-reached', 'an object has at most 2^32 segments');
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}
