import { concatBytes, equalBytes, Secret, utf8 } from '@ringfence/base';
import { sha256 } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import { MOST_SHARES, SHARE_SALT_BYTES, SHARED_SECRET_BYTES, type Share } from './shamir.ts';

/** Bytes of a share's commitment. */
export const SHARE_COMMITMENT_BYTES = 32;
/** Bytes of a share on its way: index, value, salt. */
export const SHARE_BYTES = 2 + SHARED_SECRET_BYTES + SHARE_SALT_BYTES;

const DOMAIN = utf8('ringfence-share-commitment-v1');

/**
 * What the dealer publishes of each share: SHA-256 of the domain and the encoded share. The salt hides the value; whoever hands on another value than they were
 * given is told by it.
 */
export function commitmentOf(share: Share): Uint8Array {
  const encoded = encodeShare(share);
  const preimage = concatBytes(DOMAIN, encoded);
  const commitment = sha256(preimage);
  encoded.fill(0);
  preimage.fill(0);
  return commitment;
}

/** Whether `share` is the one that its dealer committed to. */
export function opensCommitment(share: Share, commitment: Uint8Array): boolean {
  return equalBytes(commitmentOf(share), commitment);
}

/** index (16 bits, little-endian) ‖ value ‖ salt: secret bytes, to be sealed to who receives them. Throws FlError `wiped` or `bad-size`. */
export function encodeShare({ index, value, salt }: Share): Uint8Array {
  if (value.wiped) throw new FlError('wiped', 'this share was destroyed');
  if (value.length !== SHARED_SECRET_BYTES || salt.length !== SHARE_SALT_BYTES)
    throw new FlError('bad-size', 'a share has a value and a salt of 32 bytes each');
  return concatBytes(Uint8Array.of(index & 0xff, index >>> 8), value.expose(), salt);
}

/** The share of its bytes. Throws FlError `bad-size` for another length and `bad-share` for the index zero. */
export function decodeShare(bytes: Uint8Array): Share {
  if (bytes.length !== SHARE_BYTES) throw new FlError('bad-size', 'an encoded share has 66 bytes');
  const index = (bytes[0] as number) | ((bytes[1] as number) << 8);
  if (index < 1 || index > MOST_SHARES) throw new FlError('bad-share', 'the index of a share is 1 to 65,535');
  const salt = 2 + SHARED_SECRET_BYTES;
  // Copies: `slice` of a Buffer is a view, and what was decoded may be wiped.
  return {
    index,
    value: new Secret(Uint8Array.from(bytes.subarray(2, salt))),
    salt: Uint8Array.from(bytes.subarray(salt)),
  };
}
