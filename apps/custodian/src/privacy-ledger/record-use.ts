import type { ArtifactId, JobId } from '@ringfence/base';
import type { JobStatement } from '@ringfence/protocol/statements';
import type { FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { insertEntry } from './entry-rows.ts';
import { familyOf, noteSources } from './lineage.ts';

/** A start that is granted. */
export interface GrantedUse {
  readonly job: JobId;
  readonly attempt: number;
  readonly type: JobStatement['type'];
  readonly data: readonly Pick<FoundVersion, 'artifact' | 'kind'>[];
}

/**
 * Notes what the outputs of a start are made of, and each dataset that it mounts as a release that is not counted, where a budget is on it or on one with
 * rows of the same people. Of a federation the rounds are counted instead; its model is kin of its data like any output, whatever its agent puts into it. What earlier jobs made is
 * a release of theirs.
 */
export async function recordUse(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { job, attempt, type, data }: GrantedUse,
): Promise<void> {
  const at = context.clock.now();
  const outputs = await tx.selectFrom('job_output').select('artifact').where('job', '=', job).execute();
  const made = outputs.flatMap(({ artifact }) =>
    data.map(({ artifact: source }) => ({ artifact, source, cause: 'output' as const })),
  );
  await noteSources(tx, { org, at }, made);
  if (type === 'federate') return;
  for (const dataset of new Set(data.filter(({ kind }) => kind === 'dataset').map(({ artifact }) => artifact))) {
    if (!(await isBudgeted(tx, await familyOf(tx, dataset)))) continue;
    const isNew = await insertEntry(tx, org, { dataset, job, attempt, kind: 'uncounted', debit: null, at });
    if (isNew) await context.record(tx, org, { type: 'privacy-uncounted', artifact: dataset, job, attempt });
  }
}

async function isBudgeted(tx: Tx, family: readonly ArtifactId[]): Promise<boolean> {
  const found = await tx
    .selectFrom('privacy_budget')
    .select('artifact')
    .where('artifact', 'in', family)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** Writes down every start before now that mounted a dataset or one with rows of the same people: of them nothing was counted. */
export async function recordEarlierUses(
  tx: Tx,
  { org }: Pick<ClaimedOrganisation, 'org'>,
  artifact: ArtifactId,
): Promise<void> {
  const family = new Set(await familyOf(tx, artifact));
  const kinds = await tx.selectFrom('artifact').select('artifact').where('kind', '=', 'dataset').execute();
  const datasets = new Set(kinds.map((row) => row.artifact).filter((each) => family.has(each)));
  const attempts = await tx
    .selectFrom('attempt')
    .innerJoin('job', 'job.job', 'attempt.job')
    .select(['attempt.job', 'attempt.attempt', 'mounts', 'granted_at', 'placement'])
    .execute();
  for (const { job, attempt, mounts, granted_at: at, placement } of attempts) {
    if (placement.type === 'federate') continue;
    for (const dataset of new Set(mounts.map((mount) => mount.artifact)))
      if (datasets.has(dataset))
        await insertEntry(tx, org, { dataset, job, attempt, kind: 'uncounted', debit: null, at });
  }
}
