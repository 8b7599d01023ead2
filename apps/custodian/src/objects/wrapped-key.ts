import { fromBase64Url, toBase64Url } from '@ringfence/base';
import { unwrapDataKey } from '@ringfence/crypto/open';
import { DataKey, wrapDataKey } from '@ringfence/crypto/seal';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { WrappedKeyColumns } from '../store/tables.ts';

/** What a wrapped data key opens: a chunk by its id, a manifest by its artifact and version. */
export interface WrappedFor {
  readonly object: string;
  readonly version: number;
}

/** A data key as its row has it. */
export function wrapKey(
  { keys, rng }: CustodianContext,
  { org, project }: ClaimedOrganisation,
  of: WrappedFor,
  key: string,
): WrappedKeyColumns {
  const dataKey = DataKey.fromBytes(Uint8Array.from(fromBase64Url(key)));
  const { kek, version, box } = wrapDataKey(keys.kek, dataKey, { org, project, ...of }, rng);
  return { kek, kek_version: version, key_box: box };
}

/** The data key of a row, in base64url; throws CryptoError `cannot-open`. */
export function unwrapKey(
  { keys }: CustodianContext,
  { org, project }: ClaimedOrganisation,
  of: WrappedFor,
  { kek, kek_version, key_box }: WrappedKeyColumns,
): string {
  const wrapped = { kek, version: kek_version, box: key_box };
  return toBase64Url(unwrapDataKey(keys.kek, wrapped, { org, project, ...of }).expose());
}
