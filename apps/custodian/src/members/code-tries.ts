import { sql } from 'kysely';
import type { EpochMs, MemberId } from '@ringfence/base';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';

/** The wait after the first wrong code, and the longest; it doubles in between. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 900_000;
const MOST_DOUBLINGS = 10;

/**
 * Begins a try of a code: it counts as wrong until {@link forgetTries}. Of many at once one begins, by one statement. Throws CustodianError
 * `too-much` before its time.
 */
export async function beginTry(tx: Tx, member: MemberId, now: EpochMs): Promise<void> {
  const begun = await tx
    .updateTable('member')
    .set({
      tries: sql<number>`tries + 1`,
      try_after: sql<number>`${now} + least(${LONGEST_WAIT_MS}, ${FIRST_WAIT_MS} * 2 ^ least(tries, ${MOST_DOUBLINGS}))::bigint`,
    })
    .where('member', '=', member)
    .where('try_after', '<=', now)
    .returning('member')
    .executeTakeFirst();
  if (begun !== undefined) return;
  throw new CustodianError('too-soon', 'there were wrong codes, or another is being looked at', {
    next: 'wait a little before the next one: the wait doubles, to a quarter of an hour',
  });
}

/** The code was right. */
export async function forgetTries(tx: Tx, member: MemberId): Promise<void> {
  await tx.updateTable('member').set({ tries: 0, try_after: 0 }).where('member', '=', member).execute();
}
