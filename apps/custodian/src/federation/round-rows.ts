import type { AgentId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { AbortedInARow } from './aborted-in-a-row.ts';

/** One round as one attempt asks for it. */
export interface RoundKey {
  readonly contract: Digest;
  readonly agent: AgentId;
  readonly round: number;
  readonly job: JobId;
  readonly attempt: number;
}

/** What an agent had leave for before. */
export interface EarlierRounds {
  /** Whose the round is, where leave for it was given. */
  readonly same: { readonly job: JobId; readonly attempt: number } | undefined;
  /** The highest number; 0 for none. */
  readonly newest: number;
  readonly given: number;
  /** How many of them ended with a sum. */
  readonly summed: number;
  /** How many of them nothing was heard of. */
  readonly silent: number;
  readonly aborted: AbortedInARow;
}

/** The rounds that an agent had leave for. */
export async function roundsOf(
  tx: Tx,
  { contract, agent, round }: Pick<RoundKey, 'contract' | 'agent' | 'round'>,
): Promise<EarlierRounds> {
  const all = tx.selectFrom('federation_round').where('contract', '=', contract).where('agent', '=', agent);
  const same = await all.select(['job', 'attempt']).where('round', '=', round).executeTakeFirst();
  const { newest, given, summed, silent } = await all
    .select([
      sql<number>`coalesce(max(round), 0)`.as('newest'),
      sql<number>`count(*)`.as('given'),
      sql<number>`count(*) filter (where outcome = 'summed')`.as('summed'),
      sql<number>`count(*) filter (where outcome is null)`.as('silent'),
    ])
    .executeTakeFirstOrThrow();
  const aborted = await abortedInARow(tx, { contract, agent });
  return {
    same,
    newest: Number(newest),
    given: Number(given),
    summed: Number(summed),
    silent: Number(silent),
    aborted,
  };
}

/** What nothing is heard of may have been aborted. */
async function abortedInARow(
  tx: Tx,
  { contract, agent }: Pick<RoundKey, 'contract' | 'agent'>,
): Promise<AbortedInARow> {
  const all = tx.selectFrom('federation_round').where('contract', '=', contract).where('agent', '=', agent);
  const { last } = await all
    .select(sql<number>`coalesce(max(round), 0)`.as('last'))
    .where('outcome', '=', 'summed')
    .executeTakeFirstOrThrow();
  const { count, at } = await all
    .select([sql<number>`count(*)`.as('count'), sql<number>`coalesce(max(at), 0)`.as('at')])
    .where('round', '>', Number(last))
    .where('excused', '=', false)
    .executeTakeFirstOrThrow();
  return { count: Number(count), newestAt: Number(at) };
}

/** Lets rounds of a contract that came to nothing so far count no more among those in a row; false where there were none. */
export async function excuseAborted(tx: Tx, contract: Digest): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('federation_round')
    .set({ excused: true })
    .where('contract', '=', contract)
    .where('excused', '=', false)
    .where((row) => row.or([row('outcome', 'is', null), row('outcome', '=', 'aborted')]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Notes that leave was given. */
export async function insertRound(
  tx: Tx,
  org: OrgId,
  { contract, agent, round, job, attempt, at }: RoundKey & { readonly at: number },
): Promise<void> {
  await tx
    .insertInto('federation_round')
    .values({ org, contract, agent, round, job, attempt, at, outcome: null, report_box: null })
    .execute();
}
