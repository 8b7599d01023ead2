import { errorFields, isId } from '@ringfence/base';
import type { LockCalls } from '@ringfence/client/api';
import type { LockDecision, LockTargetBody, LockView } from '@ringfence/protocol/api';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/** The processes that keep locks. */
export const LOCK_PLACES = ['custodian', 'control-plane'] as const;
export type LockPlace = (typeof LOCK_PLACES)[number];

/** A lock, and where it is kept. */
export type PlacedLock = LockView & { readonly at: LockPlace };

/** What either process says of locks. */
export function locksAt({ custodian, controlPlane }: Session, at: LockPlace): LockCalls {
  return at === 'custodian' ? custodian.locks : controlPlane.locks;
}

/** Where a lock on `target` is set unless somebody says where: what the custodian cannot cut is the control plane's. */
export function placesOf(target: LockTargetBody): readonly LockPlace[] {
  if (target.kind === 'role') return LOCK_PLACES;
  return target.kind === 'token' && isId('session', target.token) ? ['control-plane'] : ['custodian'];
}

/** The locks of both; those of one alone where the other does not answer, with why. */
export async function allLocks(
  session: Session,
): Promise<{ readonly locks: readonly PlacedLock[]; readonly silent: Readonly<Partial<Record<LockPlace, string>>> }> {
  const asked = await Promise.allSettled(
    LOCK_PLACES.map(async (at) => (await locksAt(session, at).list()).map((lock) => ({ ...lock, at }))),
  );
  if (asked.every(({ status }) => status === 'rejected'))
    throw asked.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))[0];
  const silent = LOCK_PLACES.flatMap((at, index) => {
    const result = asked[index];
    return result?.status === 'rejected' ? [[at, String(errorFields(result.reason).code)]] : [];
  });
  const locks = asked.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  return { locks, silent: Object.fromEntries(silent) as Partial<Record<LockPlace, string>> };
}

/** Agrees about a lock, wherever it is kept. Throws CliError `not-found`. */
export async function agreeOn(
  session: Session,
  id: string,
  wants: 'confirm' | 'lift',
): Promise<LockDecision & { readonly at: LockPlace }> {
  const found = (await allLocks(session)).locks.find(({ lock }) => lock === id);
  if (found === undefined)
    throw new CliError('not-found', 'no lock of this id holds', { next: 'see `ringfence lock ls`' });
  const decided = await locksAt(session, found.at).agree(found.lock, wants, found.term);
  return { ...decided, at: found.at };
}

/** What became of an officer's word on a lock. */
export function agreedLine({ done, lock }: LockDecision, carriedOut: string): string {
  if (done) return `the lock ${carriedOut}`;
  const wish = lock.lifting ?? lock.confirming;
  return wish?.phase === 'waiting'
    ? 'noted; you are the only officer: it is carried out when a day has passed in which somebody could object'
    : 'noted; another officer has to agree: `ringfence lock ls` shows it to them';
}
