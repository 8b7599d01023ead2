import { isId } from '@ringfence/base';
import type { Admission, LinkPeer } from '@ringfence/client/payload-link';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { checkLocks } from '@ringfence/policy/locks';
import type { CustodianContext } from '../context.ts';
import { watchedAgent, watchedDevice } from './watched-parties.ts';

/**
 * Watches over payload links: a lock on who is at the other end cuts its link, with whatever is under way on it. A link that comes while
 * this custodian hears nothing stays open until it knows; requests on it wait too.
 */
export function watchLinks(
  context: Pick<CustodianContext, 'locks' | 'access' | 'clock' | 'owner'>,
): (peer: LinkPeer, cut: () => void) => () => void {
  const { locks, owner } = context;
  return (peer, cut) => {
    let over = false;
    let unwatch = (): void => {};
    const watch = (): void => {
      const { claimed } = owner;
      if (over || claimed === undefined || peer.kind !== 'known') return;
      const party = partyOf(peer.id);
      if (party === undefined) return;
      // Roles that are suspended already let nobody in: a lock on them cuts whoever came before.
      const checked = locks.checkCaller(party, context.clock.now());
      const roles = checked.allow ? checked.roles : party.roles;
      const open = locks.open({ org: claimed.org, control: false, parties: [{ ...party, roles }], cut });
      unwatch = () => open.close();
    };
    void locks.heard().then(watch);
    return () => {
      over = true;
      unwatch();
    };
  };

  function partyOf(id: string) {
    const { claimed } = owner;
    if (claimed === undefined) return undefined;
    if (isId('device', id)) return watchedDevice(context, claimed, id);
    return isId('agent', id) ? watchedAgent(claimed, id) : undefined;
  }
}

/** Refuses the link of whom a lock names; one that was a stranger's when it was opened is asked about again when locks change. */
export function unlessLocked(
  { locks, access, owner, clock }: Pick<CustodianContext, 'locks' | 'access' | 'clock' | 'owner'>,
  key: TlsPublicKey,
  admission: Admission,
): Admission {
  const member = owner.claimed?.keyring.byTlsKey(key);
  if (!admission.allow || owner.claimed === undefined || member === undefined) return admission;
  const { claimed } = owner;
  const party =
    member.kind === 'device'
      ? { ...watchedDevice({ access }, claimed, member.id), roles: [] }
      : member.kind === 'agent'
        ? watchedAgent(claimed, member.id)
        : { org: claimed.org, roles: [] };
  const held = { locks: locks.of(claimed.org), now: clock.now() };
  return checkLocks('streams', [party], held).allow ? admission : { allow: false, reasons: ['locked'] };
}
