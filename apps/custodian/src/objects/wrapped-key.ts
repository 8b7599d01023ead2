import { fromBase64Url, toBase64Url, type Rng } from '@ringfence/base';
import { unwrapDataKey } from '@ringfence/crypto/open';
import { DataKey, wrapDataKey, type KeyEncryptionKey } from '@ringfence/crypto/seal';
import type { KeyOwner, ProjectKeys } from '../keys/project-keys.ts';
import type { Tx } from '../store/open-store.ts';
import type { WrappedKeyColumns } from '../store/tables.ts';

/** What a wrapped data key opens: a chunk by its id, a manifest by its artifact and version. */
export interface WrappedFor {
  readonly object: string;
  readonly version: number;
}

interface Parts {
  readonly projectKeys: ProjectKeys;
  readonly rng: Rng;
}

/** A data key, in base64url, as its row has it: under the project's current key, which `tx` holds to its end. Throws CustodianError `shredded`, `kek-…`. */
export async function wrapKey(
  { projectKeys, rng }: Parts,
  tx: Tx,
  owner: KeyOwner,
  { key, ...of }: WrappedFor & { readonly key: string },
): Promise<WrappedKeyColumns> {
  return wrapUnder(await projectKeys.current(tx, owner), owner, { key, ...of }, rng);
}

/** {@link wrapKey} under a key that the transaction has already. */
export function wrapUnder(
  current: KeyEncryptionKey,
  { org, project }: KeyOwner,
  { key, object, version }: WrappedFor & { readonly key: string },
  rng: Rng,
): WrappedKeyColumns {
  const dataKey = DataKey.fromBytes(Uint8Array.from(fromBase64Url(key)));
  const wrapped = wrapDataKey(current, dataKey, { org, project, object, version }, rng);
  return { kek: wrapped.kek, kek_version: wrapped.version, key_box: wrapped.box };
}

/** The data key of a row, in base64url; throws CryptoError `cannot-open`, CustodianError `kek-…`. */
export async function unwrapKey(
  { projectKeys }: Pick<Parts, 'projectKeys'>,
  tx: Tx,
  owner: KeyOwner,
  { object, version, kek, kek_version, key_box }: WrappedFor & WrappedKeyColumns,
): Promise<string> {
  const named = await projectKeys.named(tx, owner, { kek, version: kek_version });
  const { org, project } = owner;
  const opened = unwrapDataKey(named, { kek, version: kek_version, box: key_box }, { org, project, object, version });
  return toBase64Url(opened.expose());
}
