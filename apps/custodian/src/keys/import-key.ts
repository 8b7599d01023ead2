import { fromBase64Url, Secret } from '@ringfence/base';
import { CryptoError, openSealed } from '@ringfence/crypto/open';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { KeyOwner } from './project-keys.ts';

const KEK_BYTES = 32;

/** The key that somebody brings: 32 bytes, sealed to this custodian for the organisation. Throws CustodianError `bad-request`. */
export async function openImportedKey({ keys }: CustodianContext, { org }: KeyOwner, sealed: string): Promise<Secret> {
  try {
    const context = { info: { purpose: 'kek', org }, aad: new Uint8Array() } as const;
    const key = new Secret(await openSealed(keys.seal, context, fromBase64Url(sealed)));
    if (key.length === KEK_BYTES && key.expose().some((byte) => byte !== 0)) return key;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
  }
  throw new CustodianError('bad-request', 'this is no key of 32 bytes that was sealed to this custodian', {
    next: 'use `ringfence key import`, or seal it to the transport key that `ringfence key status --json` prints',
  });
}
