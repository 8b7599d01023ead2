import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { Secret, utf8 } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;

/** Seals or opens one direction of one control link: an AES-256 key and the 12-byte iv that sequence numbers vary. */
export class TrafficKey {
  readonly key: Secret;
  readonly iv: Uint8Array;
  /** Ten times as fast as raw bytes: node:crypto checks and copies a raw key for every record. */
  readonly object: KeyObject;

  /** Takes ownership of both; throws CryptoError `bad-key` for wrong lengths. */
  constructor(key: Secret, iv: Uint8Array) {
    if (key.length !== KEY_BYTES || iv.length !== IV_BYTES)
      throw new CryptoError('bad-key', 'a traffic key has 32 bytes and an iv of 12');
    this.key = key;
    this.iv = iv;
    this.object = createSecretKey(key.expose());
  }
}

/** The two directions of a link. */
export interface ChannelKeys {
  readonly initiatorToResponder: TrafficKey;
  readonly responderToInitiator: TrafficKey;
}

/**
 * The traffic keys of a link (docs/protocol/control-link.md): HKDF-SHA256 (RFC 5869) of ML-KEM secret ‖ X25519 secret,
 * salted with the transcript hash, once per direction. `secrets` is wiped.
 */
export function deriveChannelKeys(secrets: Secret, transcriptHash: Uint8Array): ChannelKeys {
  try {
    return {
      initiatorToResponder: trafficKey(secrets, transcriptHash, 'party'),
      responderToInitiator: trafficKey(secrets, transcriptHash, 'control-plane'),
    };
  } finally {
    secrets[Symbol.dispose]();
  }
}

function trafficKey(ikm: Secret, salt: Uint8Array, sender: 'party' | 'control-plane'): TrafficKey {
  const info = utf8(`ringfence/control/v1 ${sender}`);
  const okm = new Uint8Array(hkdfSync('sha256', ikm.expose(), salt, info, KEY_BYTES + IV_BYTES));
  return new TrafficKey(new Secret(okm.slice(0, KEY_BYTES)), okm.slice(KEY_BYTES));
}
