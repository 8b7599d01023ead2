import type { JobId } from '@ringfence/base';
import { versionRow, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { Tx } from '../store/open-store.ts';

/** What was made of some versions: versions of outputs, and the jobs that read any of it. */
export interface Derived {
  readonly versions: readonly FoundVersion[];
  readonly jobs: ReadonlySet<JobId>;
}

/** Every output that was made of `sources`, over any number of jobs, by what their attempts were given; `all` is every version that is there. */
export async function derivedFrom(
  tx: Tx,
  sources: readonly FoundVersion[],
  all: readonly FoundVersion[],
): Promise<Derived> {
  const attempts = await tx.selectFrom('attempt').select(['job', 'mounts']).execute();
  const reached = new Set(sources.map(versionOf));
  const jobs = new Set<JobId>();
  const versions: FoundVersion[] = [];
  let grew = true;
  // Each round adds a job; no job is added twice.
  while (grew) {
    grew = false;
    for (const { job, mounts } of attempts) {
      if (jobs.has(job) || !mounts.some((mount) => reached.has(versionOf(mount)))) continue;
      jobs.add(job);
      grew = true;
      for (const made of all.filter((version) => version.job === job && !reached.has(versionOf(version)))) {
        reached.add(versionOf(made));
        versions.push(made);
      }
    }
  }
  return { versions, jobs };
}

function versionOf({ artifact, version }: Pick<FoundVersion, 'artifact' | 'version'>): string {
  return versionRow(artifact, version);
}
