import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { FederationRole } from '@ringfence/protocol/payload';
import type { Tx } from '../store/open-store.ts';
import type { RoundKey } from './round-rows.ts';

/**
 * What the attempt that asks does in the contract; undefined where it is not the current attempt of a job of that contract, granted to this agent in this epoch, and
 * neither stopped nor over. The job stays as it is until `tx` ends.
 */
export async function runningRole(
  tx: Tx,
  { epoch }: Pick<ClaimedOrganisation, 'epoch'>,
  { contract, job, attempt, agent }: Omit<RoundKey, 'round'>,
): Promise<FederationRole | undefined> {
  const current = await tx
    .selectFrom('job')
    .select('job')
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .where('closed', 'is', null)
    .where('commit_record', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (current === undefined) return undefined;
  const row = await tx
    .selectFrom('federation_job')
    .innerJoin('attempt', 'attempt.job', 'federation_job.job')
    .innerJoin('agent', 'agent.agent', 'attempt.agent')
    .select('federation_job.role')
    .where('federation_job.job', '=', job)
    .where('federation_job.contract', '=', contract)
    .where('attempt.attempt', '=', attempt)
    .where('attempt.agent', '=', agent)
    .where('attempt.epoch', '=', epoch)
    .where('attempt.stopped', 'is', null)
    .where('agent.locked', 'is', null)
    .executeTakeFirst();
  return row?.role;
}
