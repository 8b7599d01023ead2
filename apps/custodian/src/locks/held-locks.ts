import type { heldLocks } from '@ringfence/protocol/payload';
import type { StoredLock } from '@ringfence/store/locks';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

/** Whom agents have to cut off: devices, by themselves or by whose they are; agents, by themselves or by their site; and suspended roles. */
export function listHeld(
  { locks, access, lockNews }: Pick<CustodianContext, 'locks' | 'access' | 'lockNews'>,
  { org, keyring }: ClaimedOrganisation,
): z.input<typeof heldLocks> {
  const { seq } = lockNews;
  const held = locks.of(org);
  const devices = keyring
    .devices()
    .flatMap(({ id }) =>
      held
        .filter(({ target }) => namesDevice(target, id, access.memberOf(id)))
        .map(({ until }) => ({ device: id, until })),
    );
  const agents = keyring
    .agents()
    .flatMap(({ id, site }) =>
      held
        .filter(
          ({ target }) =>
            (target.kind === 'agent' && target.agent === id) || (target.kind === 'site' && target.site === site),
        )
        .map(({ until }) => ({ agent: id, until })),
    );
  const roles = held.flatMap(({ target, until }) =>
    target.kind === 'role' ? [{ role: target.role, project: target.project ?? null, until }] : [],
  );
  return { seq, devices, agents, roles };
}

function namesDevice(target: StoredLock['target'], device: string, member: string): boolean {
  return (
    (target.kind === 'device' && target.device === device) || (target.kind === 'member' && target.member === member)
  );
}
