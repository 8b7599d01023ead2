import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Key } from 'hpke';
import { concatBytes, fromBase64Url } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { ML_KEM_768_BYTES, mlKemEncapsulate, mlKemPublicKey, x25519PublicKey, x25519Secret } from '../key-agreement.ts';
import { BoundedCache } from '../sign/bounded-cache.ts';
import { sealInfoBytes, type SealContext } from '../x-wing/seal-info.ts';
import { combineSecrets, xWingKeyHead, xWingSuite, type SealPublicKey } from '../x-wing/x-wing.ts';

const suite = xWingSuite<RecipientKey>({ DeserializePublicKey: unused, Encap: encapsulateTo });

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
    const recipient = recipients.get(publicKey, () => readRecipient(publicKey));
    const sealed = await suite.Seal(recipient, plaintext, { info: sealInfoBytes(context.info), aad: context.aad });
    return concatBytes(sealed.encapsulatedSecret, sealed.ciphertext);
  } catch (cause) {
    throw new CryptoError('bad-key', 'the recipient key cannot be sealed to', { cause });
  }
}

interface RecipientKey extends Key {
  readonly mlKem: KeyObject;
  readonly x25519: KeyObject;
  readonly x25519Public: Uint8Array;
}

/** Taking in a public key costs half as much as sealing to it, and most are sealed to again: a custodian's, an agent's. */
const recipients = new BoundedCache<SealPublicKey, RecipientKey>(64);

function readRecipient(publicKey: SealPublicKey): RecipientKey {
  const bytes = fromBase64Url(publicKey);
  const x25519Public = bytes.slice(ML_KEM_768_BYTES.encapsulationKey);
  return {
    ...xWingKeyHead,
    type: 'public',
    mlKem: mlKemPublicKey(bytes.subarray(0, ML_KEM_768_BYTES.encapsulationKey)),
    x25519: x25519PublicKey(x25519Public),
    x25519Public,
  };
}

async function encapsulateTo(recipient: RecipientKey): Promise<{ shared_secret: Uint8Array; enc: Uint8Array }> {
  const { x25519Public } = recipient;
  const { secret: mlKemSecret, ciphertext } = mlKemEncapsulate(recipient.mlKem);
  const ephemeral = generateKeyPairSync('x25519');
  const shared = x25519Secret(ephemeral.privateKey, recipient.x25519);
  const x25519Ciphertext = ephemeral.publicKey.export({ format: 'raw-public' });
  return {
    shared_secret: combineSecrets({ mlKemSecret, x25519Secret: shared, x25519Ciphertext, x25519Public }),
    enc: concatBytes(ciphertext, x25519Ciphertext),
  };
}

async function unused(): Promise<never> {
  throw new TypeError('keys come as SealPublicKey');
}
