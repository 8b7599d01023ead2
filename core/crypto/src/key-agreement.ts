import { createPrivateKey, createPublicKey, decapsulate, diffieHellman, encapsulate, KeyObject } from 'node:crypto';
import { CryptoError } from './crypto-error.ts';

/** Bytes of an X25519 public key (RFC 7748 §5). */
export const X25519_BYTES = 32;
/** Bytes of an ML-KEM seed d ‖ z (FIPS 203 §7.1). */
export const ML_KEM_SEED_BYTES = 64;
/** Bytes of an ML-KEM-768 encapsulation key and of a ciphertext (FIPS 203, table 3). */
export const ML_KEM_768_BYTES = { encapsulationKey: 1184, ciphertext: 1088 } as const;

/** The X25519 key of 32 uniformly random bytes (RFC 7748 §5 clamps them). */
export function x25519PrivateKey(scalar: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(scalar), format: 'raw-private', asymmetricKeyType: 'x25519' });
}

/** The ML-KEM-768 key of the 64 random bytes d ‖ z (FIPS 203 §7.1). */
export function mlKemPrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(seed), format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });
}

/** The raw public half of a key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'raw-public' });
}

/**
 * The X25519 shared secret (RFC 7748 §6.1). Throws CryptoError `bad-key` when it would be all zero, which only a
 * peer's point of small order brings about: such a peer would fix the secret in advance.
 */
export function x25519Secret(privateKey: KeyObject, peer: Uint8Array | KeyObject): Uint8Array {
  return refusing(() =>
    diffieHellman({ privateKey, publicKey: peer instanceof KeyObject ? peer : x25519PublicKey(peer) }),
  );
}

/** The X25519 public key of 32 bytes; throws CryptoError `bad-key` for another length. */
export function x25519PublicKey(bytes: Uint8Array): KeyObject {
  return refusing(() =>
    createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: 'x25519' }),
  );
}

/** The ML-KEM-768 encapsulation key of its bytes; throws CryptoError `bad-key` when it fails FIPS 203 §7.2's check. */
export function mlKemPublicKey(bytes: Uint8Array): KeyObject {
  return refusing(() =>
    createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: 'ml-kem-768' }),
  );
}

/** A fresh secret for the holder of `encapsulationKey`; throws CryptoError `bad-key` when it fails FIPS 203 §7.2's check. */
export function mlKemEncapsulate(encapsulationKey: Uint8Array | KeyObject): {
  secret: Uint8Array;
  ciphertext: Uint8Array;
} {
  const key = encapsulationKey instanceof KeyObject ? encapsulationKey : mlKemPublicKey(encapsulationKey);
  return refusing(() => {
    const { sharedKey, ciphertext } = encapsulate(key);
    return { secret: sharedKey, ciphertext };
  });
}

/**
 * The secret in `ciphertext`. A ciphertext that nobody made for this key yields an unpredictable secret instead of an
 * error (FIPS 203 §6.3, implicit rejection); only a wrong length throws CryptoError `bad-key`.
 */
export function mlKemDecapsulate(privateKey: KeyObject, ciphertext: Uint8Array): Uint8Array {
  return refusing(() => decapsulate(privateKey, ciphertext));
}

function refusing<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new CryptoError('bad-key', "the peer's key cannot be used", { cause });
  }
}
