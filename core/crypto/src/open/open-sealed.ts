import type { Key } from 'hpke';
import { cannotOpen } from '../crypto-error.ts';
import { ML_KEM_768_BYTES, mlKemDecapsulate, x25519Secret } from '../key-agreement.ts';
import { sealInfoBytes, type SealContext } from '../x-wing/seal-info.ts';
import { combineSecrets, X_WING_BYTES, xWingKeyHead, xWingSuite } from '../x-wing/x-wing.ts';
import type { SealPrivateKey } from './seal-private-key.ts';

interface OpeningKey extends Key {
  readonly privateKey: SealPrivateKey;
}

const suite = xWingSuite<OpeningKey>({ DeserializePrivateKey: unused, Decap: decapsulate });

/** Opens what `sealTo` made for this key, purpose and AAD; throws CryptoError `cannot-open` whatever is wrong. */
export async function openSealed(
  privateKey: SealPrivateKey,
  context: SealContext,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  try {
    const enc = sealed.slice(0, X_WING_BYTES.encapsulated);
    const ciphertext = sealed.slice(X_WING_BYTES.encapsulated);
    const key = { ...xWingKeyHead, type: 'private', privateKey };
    return await suite.Open(key, enc, ciphertext, { info: sealInfoBytes(context.info), aad: context.aad });
  } catch {
    throw cannotOpen();
  }
}

/** The secret that `enc` encapsulates for `key` (draft-connolly-cfrg-xwing-kem §5.5). */
export function decapsulateWith(key: SealPrivateKey, enc: Uint8Array): Uint8Array {
  const x25519Ciphertext = enc.subarray(ML_KEM_768_BYTES.ciphertext);
  const { mlKem, x25519, x25519Public } = key.halves;
  return combineSecrets({
    mlKemSecret: mlKemDecapsulate(mlKem, enc.subarray(0, ML_KEM_768_BYTES.ciphertext)),
    x25519Secret: x25519Secret(x25519, x25519Ciphertext),
    x25519Ciphertext,
    x25519Public,
  });
}

async function decapsulate(enc: Uint8Array, key: OpeningKey): Promise<Uint8Array> {
  return decapsulateWith(key.privateKey, enc);
}

async function unused(): Promise<never> {
  throw new TypeError('keys come as SealPrivateKey');
}
