import type { AgentId, JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { codeOfWorkload } from '../federation/code-of-workload.ts';
import { openWorkload } from '../jobs/open-workload.ts';

const MOST_REMEMBERED = 1_000;

/**
 * The digest of the code of a job that this agent was granted; undefined for another's, and where it brings no code. A job's code never changes,
 * and all of it has to be read, so it is remembered. Throws CustodianError `missing-objects`.
 */
export async function codeOfJob(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, agent }: { readonly job: JobId; readonly agent: AgentId },
): Promise<Digest | undefined> {
  const { codes } = context.identities;
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
  if (codes.has(job)) return codes.get(job);
  const workload = await openWorkload(context, claimed.org, job, row.workload);
  const code = workload === undefined ? undefined : await codeOfWorkload(context, claimed, workload);
  const [oldest] = codes.keys();
  if (codes.size >= MOST_REMEMBERED && oldest !== undefined) codes.delete(oldest);
  codes.set(job, code);
  return code;
}
