import { fromBase64Url } from '@ringfence/base';
import { DedupeKey } from '@ringfence/crypto/seal';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/** The organisation's dedupe key, which the custodian gives to its devices. */
export async function dedupeKeyOf({ custodian }: Session): Promise<DedupeKey> {
  const { dedupeKey } = await custodian.status();
  if (dedupeKey === undefined)
    throw new CliError('not-trusted', 'the custodian gives this device no dedupe key', {
      next: 'check with `ringfence doctor` that the device is in the keyring',
    });
  return DedupeKey.fromBytes(fromBase64Url(dedupeKey));
}
