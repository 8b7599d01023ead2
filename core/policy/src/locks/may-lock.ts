import type { EpochMs } from '@ringfence/base';
import type { Officer } from '../assurance/officers.ts';
import type { Role } from '../authorise/authoriser.ts';
import { decide, type Decision } from '../decision.ts';
import { checkLocks } from './cut.ts';
import { rolesUnder, type Lock, type LockTarget, type Party } from './lock.ts';

/** A lock that one officer sets ends after so long, in milliseconds, unless the quorum confirms it. */
export const HASTY_LOCK_MS = 86_400_000;
/** So long after one officer's lock ended the same officer does not set it again alone, in milliseconds. */
export const NOT_AGAIN_MS = 7 * 86_400_000;

/** Why an officer may not set a lock alone. */
export type LockRefusal = 'not-an-officer' | 'locked' | 'last-officer' | 'again';

/** What is known when an officer sets a lock. */
export interface LockSetting {
  readonly by: Pick<Officer, 'device' | 'member'>;
  readonly target: LockTarget;
  readonly officers: readonly Officer[];
  /** When the same member's last lock on the same target ended or will end; null where there was none. */
  readonly lastEndedAt: EpochMs | null;
  readonly now: EpochMs;
}

/**
 * Whether one officer may set a lock at once, and until when it holds. It never leaves an organisation without an officer who can act, nor can
 * a stolen officer's device hold it day after day: that takes the quorum (`lock:confirm`).
 */
export function mayLock({
  by,
  target,
  officers,
  lastEndedAt,
  now,
}: LockSetting): Decision<LockRefusal, { readonly until: EpochMs }> {
  const setter = officers.find(({ device, member }) => device === by.device && member === by.member);
  const left = officers.filter((officer) => !officer.locked && leaves(target, officer));
  const reasons: LockRefusal[] = [
    ...(setter === undefined ? (['not-an-officer'] as const) : []),
    ...(setter?.locked === true ? (['locked'] as const) : []),
    ...(left.length === 0 ? (['last-officer'] as const) : []),
    ...(lastEndedAt !== null && now < lastEndedAt + NOT_AGAIN_MS ? (['again'] as const) : []),
  ];
  return decide(reasons, { until: (now + HASTY_LOCK_MS) as EpochMs });
}

const OFFICER: Role = { role: 'officer' };
/** The built-in roles that permit `lock:lift`. */
const LIFTING: readonly Role['role'][] = ['owner', 'officer'];

/** Whether one of these roles permits its holder to lift locks; locks are the whole organisation's. */
export function mayLift(roles: readonly Role[]): boolean {
  return roles.some(({ role, project }) => project === undefined && LIFTING.includes(role));
}

/** An officer as locks that hold leave it; `roles` of the party are those that it would have without them. */
export function officerUnder(
  party: Party & Pick<Officer, 'device' | 'member'>,
  { locks, now }: { readonly locks: readonly Lock[]; readonly now: EpochMs },
): Officer {
  const { device, member, project } = party;
  const roles = rolesUnder(locks, party.roles, { now, project });
  const isCut = !checkLocks('approvals', [{ ...party, roles: [OFFICER] }], { locks, now }).allow;
  return { device, member, roles, locked: isCut || (mayLift(party.roles) && !mayLift(roles)) };
}

function leaves(target: LockTarget, { device, member, roles }: Officer): boolean {
  switch (target.kind) {
    case 'member':
      return target.member !== member && mayLift(roles);
    case 'device':
      return target.device !== device && mayLift(roles);
    case 'role':
      // A lock in one project counts as one everywhere: what a process is asked may be of that project.
      return target.role !== OFFICER.role && mayLift(roles.filter(({ role }) => role !== target.role));
    case 'agent':
    case 'site':
    case 'token':
      return mayLift(roles);
  }
}
