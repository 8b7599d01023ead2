import type { AgentId, JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { codeOfWorkload } from '../federation/code-of-workload.ts';
import { openWorkload } from '../jobs/open-workload.ts';

/**
 * The digest of the code of a job that this agent was granted; undefined for another's, and where it brings no code. Throws CustodianError
 * `missing-objects`.
 */
export async function codeOfJob(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, agent }: { readonly job: JobId; readonly agent: AgentId },
): Promise<Digest | undefined> {
  const row = await context.store.withOrg(
    claimed.org,
    (tx) =>
      tx
        .selectFrom('job')
        .select('workload')
        .where('job', '=', job)
        .where('agent', '=', agent)
        .where('workload', 'is not', null)
        .executeTakeFirst(),
    { readOnly: true },
  );
  if (row === undefined) return undefined;
  return context.jobCodes.of(job, async () => {
    const workload = await openWorkload(context, claimed.org, job, row.workload);
    return workload === undefined ? undefined : codeOfWorkload(context, claimed, workload);
  });
}
