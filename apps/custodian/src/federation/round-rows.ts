import type { AgentId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';

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
  return { same, newest: Number(newest), given: Number(given), summed: Number(summed), silent: Number(silent) };
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
