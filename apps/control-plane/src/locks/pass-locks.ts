import type { Clock } from '@ringfence/base';
import type { WatchedParty } from '@ringfence/policy/locks';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Locks } from './watch-locks.ts';

/**
 * The caller as locks leave it: with the roles that none suspends. Throws ControlPlaneError `locked`, and `unavailable` where this replica has
 * not heard for too long who is locked.
 */
export async function passLocks<C extends WatchedParty>(
  locks: Pick<Locks, 'heard' | 'checkCaller'>,
  caller: C,
  clock: Clock,
): Promise<C> {
  await locks.heard();
  const checked = locks.checkCaller(caller, clock.now());
  if (checked.allow) return checked.roles === caller.roles ? caller : { ...caller, roles: checked.roles };
  if (checked.reasons.includes('locked'))
    throw new ControlPlaneError('locked', 'an officer has cut this off', {
      next: 'ask an officer: see `ringfence lock ls`',
    });
  throw new ControlPlaneError('unavailable', 'it is not known at this moment who is locked', {
    next: 'try again',
    retryAfterS: 2,
  });
}
