import { fromBase64Url } from '@ringfence/base';
import { cannotOpen } from '../crypto-error.ts';
import { DataKey } from '../object-format/data-key.ts';
import { wrapAad, type KeyEncryptionKey, type WrappedKey } from '../object-format/key-encryption-key.ts';
import type { ObjectIdentity } from '../object-format/object-identity.ts';
import { xaesOpen } from '../xaes-256-gcm.ts';

/** The data key that `wrapDataKey` wrapped for this object; throws CryptoError `cannot-open`, also for another KEK. */
export function unwrapDataKey(kek: KeyEncryptionKey, wrapped: WrappedKey, identity: ObjectIdentity): DataKey {
  if (wrapped.kek !== kek.id || wrapped.version !== kek.version) throw cannotOpen();
  return DataKey.fromBytes(xaesOpen(kek.cipher, wrapAad(kek, identity), boxOf(wrapped)));
}

function boxOf(wrapped: WrappedKey): Uint8Array {
  try {
    return fromBase64Url(wrapped.box);
  } catch {
    throw cannotOpen();
  }
}
