import { fromBase64Url } from '@ringfence/base';
import { DedupeKey } from '@ringfence/crypto/seal';
import type { Session } from '../session.ts';

/** The organisation's dedupe key, which the custodian gives to devices that may store. */
export async function dedupeKeyOf({ custodian }: Session): Promise<DedupeKey> {
  return DedupeKey.fromBytes(fromBase64Url(await custodian.dedupeKey()));
}
