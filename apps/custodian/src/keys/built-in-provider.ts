import { fromBase64Url, Secret, toBase64Url, type Rng } from '@ringfence/base';
import { CryptoError, unwrapDataKey } from '@ringfence/crypto/open';
import { DataKey, KeyEncryptionKey, wrapDataKey } from '@ringfence/crypto/seal';
import { kekError, type KekProvider } from './kek-provider.ts';
import type { OrganisationRing } from './organisation-ring.ts';

/** Name of the provider that is always there. */
export const BUILT_IN = 'built-in';

/** How wrapped keys name the organisation's KEK (docs/object-format.md). */
const ORGANISATION_KEK = 'organisation';

/** The organisation's KEK at the custodian itself: wraps as data keys are wrapped, under the versions of {@link OrganisationRing}. */
export function builtInProvider(ring: OrganisationRing, rng: Rng): KekProvider {
  const kekOf = (version: number): KeyEncryptionKey => {
    const key = ring.key(version);
    if (key === 'destroyed') throw kekError('kek-destroyed');
    // Its file was lost, or the row is another's.
    if (key === undefined) throw kekError('kek-tampered');
    return new KeyEncryptionKey(ORGANISATION_KEK, version, key);
  };
  return {
    kind: 'built-in',
    keepFor: Infinity,
    wrap: async (plaintext, aad) => {
      const kek = kekOf(ring.current ?? ring.add());
      using _ = kek.secret;
      const { box, version } = wrapDataKey(kek, DataKey.fromBytes(Uint8Array.from(plaintext.expose())), aad, rng);
      return { keyVersion: String(version), wrapped: fromBase64Url(box) };
    },
    unwrap: async ({ keyVersion, wrapped }, aad) => {
      const kek = kekOf(numberOf(keyVersion));
      using _ = kek.secret;
      try {
        const { id, version } = kek;
        return new Secret(unwrapDataKey(kek, { kek: id, version, box: toBase64Url(wrapped) }, aad).expose());
      } catch (cause) {
        if (cause instanceof CryptoError) throw kekError('kek-tampered', cause);
        throw cause;
      }
    },
    rotate: async () => ({ keyVersion: String(ring.add()) }),
    destroy: async (keyVersion) => {
      ring.destroy(numberOf(keyVersion));
      return { state: 'destroyed' };
    },
    health: async () => ({ usable: true, keyVersion: String(ring.current ?? 0) }),
    close: async () => {},
  };
}

function numberOf(keyVersion: string): number {
  return /^[1-9]\d{0,6}$/.test(keyVersion) ? Number(keyVersion) : 0;
}
