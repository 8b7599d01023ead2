import { concatBytes, Secret, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import {
  ML_KEM_768_BYTES,
  mlKemDecapsulate,
  mlKemEncapsulate,
  ML_KEM_SEED_BYTES,
  mlKemPrivateKey,
  rawPublicKey,
  X25519_BYTES,
  x25519PrivateKey,
  x25519Secret,
} from '../key-agreement.ts';
import { deriveChannelKeys, type ChannelKeys } from './traffic-key.ts';

/** Bytes of the initiator's share: X25519 public key ‖ ML-KEM-768 encapsulation key. */
export const INITIATOR_SHARE_BYTES = X25519_BYTES + ML_KEM_768_BYTES.encapsulationKey;
/** Bytes of the responder's share: X25519 public key ‖ ML-KEM-768 ciphertext. */
export const RESPONDER_SHARE_BYTES = X25519_BYTES + ML_KEM_768_BYTES.ciphertext;

/** The side that dials; its ephemeral keys live until it finishes. */
export interface Initiator {
  readonly publicShare: Uint8Array;
  /**
   * The link's keys. `transcriptHash` is the SHA-256 of both handshake frames. Throws CryptoError `bad-handshake` for a
   * share of wrong length or of small order; a wrong ML-KEM ciphertext shows only in keys that open nothing.
   */
  finish(responderShare: Uint8Array, transcriptHash: Uint8Array): ChannelKeys;
}

/** The side that answers. */
export interface Responder {
  readonly share: Uint8Array;
  /** The link's keys. It can be called once, since the secrets are wiped; throws CryptoError `bad-handshake` after that. */
  finish(transcriptHash: Uint8Array): ChannelKeys;
}

/** Starts a key agreement with fresh ephemeral keys. */
export function createInitiator(rng: Rng): Initiator {
  const classical = x25519PrivateKey(rng.bytes(X25519_BYTES));
  const postQuantum = mlKemPrivateKey(rng.bytes(ML_KEM_SEED_BYTES));
  return {
    publicShare: concatBytes(rawPublicKey(classical), rawPublicKey(postQuantum)),
    finish(responderShare, transcriptHash) {
      const [point, ciphertext] = split(responderShare, RESPONDER_SHARE_BYTES);
      const secrets = agree(() => combine(mlKemDecapsulate(postQuantum, ciphertext), x25519Secret(classical, point)));
      return deriveChannelKeys(secrets, transcriptHash);
    },
  };
}

/**
 * Answers an initiator's share. `rng` draws the X25519 key; the ML-KEM secret comes from the operating system's
 * generator. Throws CryptoError `bad-handshake` for a share that cannot be used.
 */
export function respond(initiatorShare: Uint8Array, rng: Rng): Responder {
  const [point, encapsulationKey] = split(initiatorShare, INITIATOR_SHARE_BYTES);
  const classical = x25519PrivateKey(rng.bytes(X25519_BYTES));
  const { secret, ciphertext } = agree(() => mlKemEncapsulate(encapsulationKey));
  let secrets: Secret | undefined = agree(() => combine(secret, x25519Secret(classical, point)));
  return {
    share: concatBytes(rawPublicKey(classical), ciphertext),
    finish(transcriptHash) {
      if (secrets === undefined) throw new CryptoError('bad-handshake', 'the handshake is already finished');
      const keys = deriveChannelKeys(secrets, transcriptHash);
      secrets = undefined;
      return keys;
    },
  };
}

function split(share: Uint8Array, length: number): [Uint8Array, Uint8Array] {
  if (share.length !== length) throw new CryptoError('bad-handshake', "the peer's key share has a wrong length");
  return [share.subarray(0, X25519_BYTES), share.subarray(X25519_BYTES)];
}

function agree<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new CryptoError('bad-handshake', "the peer's key share cannot be used", { cause });
  }
}

/** Both halves in full: the keys stay secret while either agreement does. */
function combine(postQuantum: Uint8Array, classical: Uint8Array): Secret {
  const both = concatBytes(postQuantum, classical);
  postQuantum.fill(0);
  classical.fill(0);
  return new Secret(both);
}
