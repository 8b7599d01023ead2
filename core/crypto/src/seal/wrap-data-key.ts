import { toBase64Url, type Rng } from '@ringfence/base';
import type { DataKey } from '../object-format/data-key.ts';
import { wrapAad, type KeyEncryptionKey, type WrappedKey } from '../object-format/key-encryption-key.ts';
import type { ObjectIdentity } from '../object-format/object-identity.ts';
import { xaesSeal } from '../xaes-256-gcm.ts';

/** `dataKey` under `kek` (XAES-256-GCM), bound to the object that it opens and to the KEK's id and version. */
export function wrapDataKey(kek: KeyEncryptionKey, dataKey: DataKey, identity: ObjectIdentity, rng: Rng): WrappedKey {
  const box = xaesSeal(kek.cipher, rng, wrapAad(kek, identity), dataKey.expose());
  return { kek: kek.id, version: kek.version, box: toBase64Url(box) };
}
