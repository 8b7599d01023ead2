import type { LockRefusal } from '@ringfence/policy/locks';
import type { LockWishRefusal } from './decide-lock.ts';

/** What an officer is told, with the code of the answer. */
export interface LockRefused {
  readonly code: 'not-authorised' | 'not-found' | 'conflict';
  readonly message: string;
  readonly next: string;
}

/** What an officer is told whose lock is not set. */
export function lockRefused(reasons: readonly (LockRefusal | 'held')[]): LockRefused {
  const [reason = 'not-an-officer'] = reasons;
  switch (reason) {
    case 'not-an-officer':
    case 'locked':
      return {
        code: 'not-authorised',
        message: 'officers set locks, and this one is none or is locked',
        next: 'ask an officer who is under no lock',
      };
    case 'last-officer':
      return {
        code: 'conflict',
        message: 'this would leave no officer who can act',
        next: 'add another officer first: a lone officer cannot lock itself out',
      };
    case 'again':
      return {
        code: 'conflict',
        message: 'the same officer set this lock within the last 7 days',
        next: 'let another officer set it: `ringfence lock set` again from theirs',
      };
    case 'held':
      return { code: 'conflict', message: 'a lock on this holds already', next: 'see `ringfence lock ls`' };
  }
}

/** What an officer is told whose word on a lock does not count. */
export function wishRefused(reasons: readonly LockWishRefusal[]): LockRefused {
  const [reason = 'over'] = reasons;
  switch (reason) {
    case 'not-an-officer':
    case 'locked':
    case 'step-up':
    case 'may-not-object':
      return {
        code: 'not-authorised',
        message: 'officers confirm and lift locks, and this one is none or is locked',
        next: 'ask an officer who is under no lock',
      };
    case 'no-such-lock':
      return { code: 'not-found', message: 'no such lock holds', next: 'see `ringfence lock ls`' };
    case 'custodians':
      return {
        code: 'conflict',
        message: 'the custodian set this lock, and it alone ends it',
        next: 'lift it at the custodian: `ringfence lock ls` has it there too',
      };
    case 'confirmed':
      return { code: 'conflict', message: 'this lock holds until it is lifted', next: 'see `ringfence lock ls`' };
    case 'changed':
    case 'other-digest':
    case 'over':
    case 'not-ready':
      return { code: 'conflict', message: 'the lock has changed meanwhile', next: 'see `ringfence lock ls`' };
  }
}
