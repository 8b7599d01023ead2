import type { ArtifactId, OrgId } from '@ringfence/base';
import type { Bound } from '@ringfence/dp/ledger';
import { numberOf } from '@ringfence/protocol/federation';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { PrivacyDoubtTable } from '../store/privacy-tables.ts';

/** What is known of a dataset's past: all of it, or from an era on, with a bound on everything before; or not even that yet. */
export type Past =
  | { readonly known: 'all' }
  | { readonly known: 'since'; readonly era: number; readonly floor: Bound; readonly at: number }
  | { readonly known: 'not'; readonly doubt: Pick<PrivacyDoubtTable, 'cause' | 'at' | 'era'> };

/**
 * Doubts what is known of every dataset and output that there is: a new era begins, and nothing is debited of one before its owner settled what was
 * done before. At least its budget of now, and of each time that it was doubted before, has to be taken for spent.
 */
export async function openDoubts(
  tx: Tx,
  org: OrgId,
  { cause, at }: Pick<PrivacyDoubtTable, 'cause' | 'at'>,
): Promise<void> {
  await sql`insert into privacy_doubt (artifact, era, org, cause, at, least_epsilon, least_delta)
    select a.artifact, (select coalesce(max(era), 0) + 1 from privacy_doubt), ${org}, ${cause}, ${at}, b.epsilon, b.delta
    from (select artifact from artifact union select artifact from privacy_budget union select artifact from privacy_tally) a
    left join privacy_budget b on b.artifact = a.artifact`.execute(tx);
}

/** The era that is now: what is counted belongs to it. */
export async function currentEra(tx: Tx): Promise<number> {
  const { rows } = await sql<{ era: number }>`select coalesce(max(era), 0) as era from privacy_doubt`.execute(tx);
  return Number(rows[0]?.era ?? 0);
}

/** What is known of a dataset's past. */
export async function pastOf(tx: Tx, artifact: ArtifactId): Promise<Past> {
  const newest = await tx
    .selectFrom('privacy_doubt')
    .select(['era', 'cause', 'at', 'epsilon', 'delta'])
    .where('artifact', '=', artifact)
    .orderBy('era', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest === undefined) return { known: 'all' };
  const { epsilon, delta, era, at } = newest;
  if (epsilon === null || delta === null) return { known: 'not', doubt: newest };
  return { known: 'since', era, at, floor: { epsilon: numberOf(epsilon), delta: numberOf(delta) } };
}
