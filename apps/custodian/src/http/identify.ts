import type { Admission, LinkPeer } from '@ringfence/client/payload-link';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Caller } from './route.ts';

/**
 * Whether the holder of a key may open a link at all: members, and strangers while there is something to claim or a code to join with.
 * Whoever was removed, and another custodian, may not.
 */
export function admit(claimed: ClaimedOrganisation | undefined, key: TlsPublicKey, joinOpen: () => boolean): Admission {
  if (claimed === undefined) return { allow: true, peer: { kind: 'unknown' } };
  const owner = claimed.keyring.byTlsKey(key);
  if (owner?.kind === 'device')
    return { allow: true, peer: { kind: 'known', id: owner.id }, rights: claimed.keyring.roleWords(owner.id) };
  if (owner?.kind === 'agent') return { allow: true, peer: { kind: 'known', id: owner.id } };
  if (owner !== undefined || claimed.wasMember(key) || !joinOpen()) return { allow: false, reasons: ['not-a-member'] };
  return { allow: true, peer: { kind: 'unknown' } };
}

/** Who a peer is now: membership may have changed since its link was opened. */
export function identify(claimed: ClaimedOrganisation | undefined, peer: LinkPeer): Caller {
  const owner = claimed?.keyring.byTlsKey(peer.key);
  if (owner?.kind === 'device') return { kind: 'device', id: owner.id, peer };
  if (owner?.kind === 'agent') return { kind: 'agent', id: owner.id, peer };
  return { kind: 'unknown', peer };
}
