import type { EpochMs } from '@ringfence/base';
import type { Role } from '@ringfence/policy/authorise';
import type { WatchedParty } from '@ringfence/policy/locks';
import { CustodianError } from '../custodian-error.ts';
import type { Locks } from './kept-locks.ts';

/**
 * The caller's roles that no lock suspends. Throws CustodianError `locked`, and `unavailable` where this custodian has not heard for too long
 * who is locked.
 */
export function passLocks(locks: Pick<Locks, 'checkCaller'>, party: WatchedParty, now: EpochMs): readonly Role[] {
  const checked = locks.checkCaller(party, now);
  if (checked.allow) return checked.roles;
  if (checked.reasons.includes('locked'))
    throw new CustodianError('locked', 'an officer has cut this off', {
      next: 'ask an officer: see `ringfence lock ls`',
    });
  throw new CustodianError('unavailable', 'it is not known at this moment who is locked', { next: 'try again' });
}
