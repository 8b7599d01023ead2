import type { ArtifactId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { PrivacyLineageTable } from '../store/privacy-tables.ts';

/** That an artifact has rows of another. */
export type Source = Pick<PrivacyLineageTable, 'artifact' | 'source' | 'cause'>;

/** Notes sources, for good; what is known already stays as it is. */
export async function noteSources(
  tx: Tx,
  { org, at }: { org: OrgId; at: number },
  sources: readonly Source[],
): Promise<void> {
  const rows = sources.filter(({ artifact, source }) => artifact !== source).map((row) => ({ ...row, org, at }));
  if (rows.length === 0) return;
  await tx
    .insertInto('privacy_lineage')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Notes what the outputs of every job so far were made of: an archive of a release before this was kept does not say it. */
export async function noteEarlierOutputs(tx: Tx, { org, at }: { org: OrgId; at: number }): Promise<void> {
  await sql`insert into privacy_lineage (artifact, source, org, cause, at)
    select distinct o.artifact, mount->>'artifact', ${org}, 'output', ${at}::bigint
    from attempt a
    join job_output o on o.job = a.job
    cross join lateral jsonb_array_elements(a.mounts) mount
    where mount->>'artifact' <> o.artifact
    on conflict do nothing`.execute(tx);
}

/**
 * Every artifact that may have rows of the same people: what this one was made of or shares objects with, over any number of steps, and all that was
 * made of any of these. Who is in whose family is mutual; it begins with the artifact itself.
 */
export async function familyOf(tx: Tx, artifact: ArtifactId): Promise<ArtifactId[]> {
  const { rows } = await sql<{ artifact: ArtifactId }>`
    with recursive above as (
      select ${artifact}::text as artifact
      union select l.source from above join privacy_lineage l on l.artifact = above.artifact
    ), family as (
      select artifact from above
      union select l.artifact from family join privacy_lineage l on l.source = family.artifact
    ) select artifact from family order by artifact`.execute(tx);
  return rows.map((row) => row.artifact);
}

/** What an artifact was made of or shares objects with, over any number of steps, by the causes that are given; with itself. */
export async function sourcesOf(
  tx: Tx,
  artifact: ArtifactId,
  causes: readonly Source['cause'][] = ['output', 'declared', 'overlap'],
): Promise<ArtifactId[]> {
  const { rows } = await sql<{ artifact: ArtifactId }>`
    with recursive above as (
      select ${artifact}::text as artifact
      union select l.source from above join privacy_lineage l on l.artifact = above.artifact and l.cause = any(${causes})
    ) select artifact from above order by artifact`.execute(tx);
  return rows.map((row) => row.artifact);
}
