import type { PackReference, Workload } from '@ringfence/protocol/payload';
import { versionRow } from '../artifacts/artifact-rows.ts';
import { readCheckpoint } from '../jobs/checkpoint.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';

/** What jobs that are not over still need. */
export interface LiveUse {
  /** Names that they mount, of which the newest version is taken at the next grant. */
  readonly mountedNames: ReadonlySet<string>;
  /** Versions that attempts were given, as `artifact:version`. */
  readonly mountedVersions: ReadonlySet<string>;
  /** Their code and checkpoints. */
  readonly packs: readonly PackReference[];
}

/** Reads it all from the jobs' own workloads. Throws CustodianError `unavailable` for one that does not open: nothing is known of it then. */
export async function liveUse(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation): Promise<LiveUse> {
  const jobs = await tx
    .selectFrom('job')
    .select(['job', 'workload'])
    .where('closed', 'is', null)
    .where('commit_record', 'is', null)
    .execute();
  const mountedNames = new Set<string>();
  const mountedVersions = new Set<string>();
  const packs: PackReference[] = [];
  for (const { job, workload } of jobs) {
    const opened: Workload | undefined = await openWorkload(context, claimed.org, job, workload);
    if (opened === undefined)
      throw new CustodianError('unavailable', 'the workload of a job that is not over does not open', {
        next: 'stop that job, then prune again',
      });
    for (const { dataset } of opened.mounts) mountedNames.add(dataset);
    if (opened.code !== undefined) packs.push(opened.code);
    const checkpoint = await readCheckpoint(context, tx, claimed, job);
    if (checkpoint !== undefined) packs.push(checkpoint);
  }
  const attempts = await tx
    .selectFrom('attempt')
    .innerJoin('job', 'job.job', 'attempt.job')
    .select('attempt.mounts')
    .where('job.closed', 'is', null)
    .where('job.commit_record', 'is', null)
    .execute();
  for (const { mounts } of attempts)
    for (const { artifact, version } of mounts) mountedVersions.add(versionRow(artifact, version));
  return { mountedNames, mountedVersions, packs };
}
