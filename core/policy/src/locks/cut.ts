import type { EpochMs, LockId } from '@ringfence/base';
import type { Decision } from '../decision.ts';
import { holds, names, type Lock, type LockTarget, type Party } from './lock.ts';

/** What a lock can cut. */
export const CUTS = [
  /** Open links, followed logs, shells, sessions, calls of endpoints. */
  'streams',
  /** Requests of any kind. */
  'requests',
  /** Grants: waiting jobs of theirs, or on theirs, do not start. */
  'starts',
  /** Renewals of leases: what runs there ends as its `on_partition` says. */
  'leases',
  /** Commits of results. */
  'commits',
  /** Renewals of certificates. */
  'certificates',
  /** Tokens that they minted. */
  'tokens',
  /** Their word as an officer; asked with the role `officer` alone. */
  'approvals',
] as const;

export type Cut = (typeof CUTS)[number];

const PERSON: readonly Cut[] = ['streams', 'requests', 'starts', 'tokens', 'approvals'];
const MACHINE: readonly Cut[] = ['streams', 'requests', 'starts', 'leases', 'commits', 'certificates'];

/**
 * What a lock on each kind of target cuts; docs/identity.md has the same as a table. Whoever was let in by a locked role may come
 * back without it.
 */
export const CUT_BY: Readonly<Record<LockTarget['kind'], readonly Cut[]>> = {
  member: PERSON,
  role: ['streams', 'approvals'],
  device: PERSON,
  agent: MACHINE,
  site: MACHINE,
  token: ['streams', 'requests', 'tokens'],
};

/** Whether any of `parties` is cut off from `what` now: no, or yes with the locks that do it. */
export function checkLocks(
  what: Cut,
  parties: readonly Party[],
  { locks, now }: { readonly locks: readonly Lock[]; readonly now: EpochMs },
): Decision<LockId> {
  const reasons = locks
    .filter((lock) => holds(lock, now) && CUT_BY[lock.target.kind].includes(what))
    .filter(({ target }) => parties.some((party) => names(target, party)))
    .map(({ id }) => id);
  return reasons.length === 0 ? { allow: true } : { allow: false, reasons };
}
