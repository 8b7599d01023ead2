import { generateKeyPairSync } from 'node:crypto';
import type { Key } from 'hpke';
import { concatBytes, fromBase64Url } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { ML_KEM_768_BYTES, mlKemEncapsulate, rawPublicKey, x25519Secret } from '../key-agreement.ts';
import { sealInfoBytes, type SealContext } from '../x-wing/seal-info.ts';
import { combineSecrets, xWingKeyHead, xWingSuite, type SealPublicKey } from '../x-wing/x-wing.ts';

const suite = xWingSuite({ DeserializePublicKey: importPublicKey, Encap: encapsulateTo });

/**
 * `plaintext` sealed to one recipient, purpose and AAD: encapsulated secret (1,120 bytes) ‖ ciphertext ‖ tag. Whoever
 * holds the public key can make one; it says nothing about who did. Throws CryptoError `bad-key` for a key that cannot
 * be used.
 */
export async function sealTo(
  publicKey: SealPublicKey,
  context: SealContext,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  try {
    const recipient = await suite.DeserializePublicKey(fromBase64Url(publicKey));
    const sealed = await suite.Seal(recipient, plaintext, { info: sealInfoBytes(context.info), aad: context.aad });
    return concatBytes(sealed.encapsulatedSecret, sealed.ciphertext);
  } catch (cause) {
    throw new CryptoError('bad-key', 'the recipient key cannot be sealed to', { cause });
  }
}

interface RecipientKey extends Key {
  readonly mlKemPublic: Uint8Array;
  readonly x25519Public: Uint8Array;
}

async function importPublicKey(bytes: Uint8Array): Promise<RecipientKey> {
  return {
    ...xWingKeyHead,
    type: 'public',
    mlKemPublic: bytes.slice(0, ML_KEM_768_BYTES.encapsulationKey),
    x25519Public: bytes.slice(ML_KEM_768_BYTES.encapsulationKey),
  };
}

async function encapsulateTo(recipient: RecipientKey): Promise<{ shared_secret: Uint8Array; enc: Uint8Array }> {
  const { x25519Public } = recipient;
  const { secret: mlKemSecret, ciphertext } = mlKemEncapsulate(recipient.mlKemPublic);
  const ephemeral = generateKeyPairSync('x25519').privateKey;
  const shared = x25519Secret(ephemeral, x25519Public);
  const x25519Ciphertext = rawPublicKey(ephemeral);
  return {
    shared_secret: combineSecrets({ mlKemSecret, x25519Secret: shared, x25519Ciphertext, x25519Public }),
    enc: concatBytes(ciphertext, x25519Ciphertext),
  };
}
