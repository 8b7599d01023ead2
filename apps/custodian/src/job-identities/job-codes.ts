import type { AgentId, JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { codeOfWorkload } from '../federation/code-of-workload.ts';
import { openWorkload } from '../jobs/open-workload.ts';

const MOST_REMEMBERED = 1_000;

/** Digests of the code of the newest jobs that asked: it never changes, and all of it has to be read. */
export class JobCodes {
  readonly #most: number;
  /** Undefined for a job without code. */
  readonly #known = new Map<JobId, Digest | undefined>();

  constructor(most: number = MOST_REMEMBERED) {
    this.#most = most;
  }

  /** Of `job`, by `read` the first time. */
  async of(job: JobId, read: () => Promise<Digest | undefined>): Promise<Digest | undefined> {
    if (this.#known.has(job)) return this.#known.get(job);
    const code = await read();
    const [oldest] = this.#known.keys();
    if (this.#known.size >= this.#most && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(job, code);
    return code;
  }
}

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
