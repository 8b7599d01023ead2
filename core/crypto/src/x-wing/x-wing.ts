import { createHash } from 'node:crypto';
import type { Brand } from '@ringfence/base';
import { CipherSuite, type KEM, type Key } from 'hpke';
import { ML_KEM_768_BYTES, X25519_BYTES } from '../key-agreement.ts';
import { aes256Gcm, hkdfSha256 } from './hpke-primitives.ts';

/** Public key that payload is sealed to: base64url of ML-KEM-768 encapsulation key ‖ X25519 public key, 1,216 bytes. */
export type SealPublicKey = Brand<string, 'SealPublicKey'>;

/** Bytes of a public key, of an encapsulated secret, of a private seed and of a shared secret (X-Wing, table 1). */
export const X_WING_BYTES = {
  publicKey: ML_KEM_768_BYTES.encapsulationKey + X25519_BYTES,
  encapsulated: ML_KEM_768_BYTES.ciphertext + X25519_BYTES,
  seed: 32,
  secret: 32,
} as const;

const NAME = 'MLKEM768-X25519';
const LABEL = Buffer.from('\\.//^\\', 'latin1');

/** What the HPKE library asks of a key that it passes back to the KEM. */
export const xWingKeyHead = { algorithm: { name: NAME }, extractable: false } as const;

/** X-Wing's combiner (draft-connolly-cfrg-xwing-kem §5.3): SHA3-256 of both secrets, the X25519 share and key, the label. */
export function combineSecrets(parts: {
  mlKemSecret: Uint8Array;
  x25519Secret: Uint8Array;
  x25519Ciphertext: Uint8Array;
  x25519Public: Uint8Array;
}): Uint8Array {
  return createHash('sha3-256')
    .update(parts.mlKemSecret)
    .update(parts.x25519Secret)
    .update(parts.x25519Ciphertext)
    .update(parts.x25519Public)
    .update(LABEL)
    .digest();
}

/** The steps of the KEM that one side of HPKE takes; the sealing side has none that opens. */
export type XWingSteps<K extends Key> =
  | Pick<KEM<K>, 'DeserializePublicKey' | 'Encap'>
  | Pick<KEM<K>, 'DeserializePrivateKey' | 'Decap'>;

/**
 * HPKE (RFC 9180) base mode with MLKEM768-X25519, which is X-Wing (KEM 0x647a), HKDF-SHA256 and AES-256-GCM. All three
 * stand on node:crypto: the library's own KEM uses parts of Web Cryptography that Node calls experimental.
 */
export function xWingSuite<K extends Key>(steps: XWingSteps<K>): CipherSuite<K> {
  const kem: KEM<K> = {
    id: 0x647a,
    type: 'KEM',
    name: NAME,
    Nsecret: X_WING_BYTES.secret,
    Nenc: X_WING_BYTES.encapsulated,
    Npk: X_WING_BYTES.publicKey,
    Nsk: X_WING_BYTES.seed,
    DeriveKeyPair: absent,
    GenerateKeyPair: absent,
    SerializePublicKey: absent,
    SerializePrivateKey: absent,
    DeserializePublicKey: absent,
    DeserializePrivateKey: absent,
    Encap: absent,
    Decap: absent,
    ...steps,
  };
  return new CipherSuite(() => kem, hkdfSha256, aes256Gcm);
}

function absent(): Promise<never> {
  return Promise.reject(new TypeError('this side of HPKE does not take this step'));
}
