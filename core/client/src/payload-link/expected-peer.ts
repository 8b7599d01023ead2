import { equalBytes, fromBase64Url } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';

/** Whether the party with a key may be at the other end of a link that this side dials. */
export type PeerDecision = { readonly allow: true } | { readonly allow: false; readonly reasons: readonly string[] };
/** Decides on the key that the other end proved. */
export type ExpectPeer = (peer: TlsPublicKey) => PeerDecision;

/** Expects one of `keys`; every key is compared in full, so that time tells nothing about which. */
export function expectKeys(...keys: readonly TlsPublicKey[]): ExpectPeer {
  const wanted = keys.map(fromBase64Url);
  return (peer) => {
    const shown = fromBase64Url(peer);
    let found = false;
    for (const key of wanted) found = equalBytes(key, shown) || found;
    return found ? { allow: true } : { allow: false, reasons: ['key-not-expected'] };
  };
}
