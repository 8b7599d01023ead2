import type { AgentId } from '@ringfence/base';
import type { replicaAnswer, replicaReport } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { FENCED } from '../jobs/attempt-end.ts';
import { listGateways } from './gateways.ts';

/**
 * Takes an agent's word on its replica: only the agent that was granted the current attempt has one, and only while it has not signed that the
 * attempt stopped. Answers with the gateways that may reach it. Throws CustodianError `not-found`, `conflict`.
 */
export async function takeReplicaReport(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, attempt, state }: z.output<typeof replicaReport>,
  agent: AgentId,
): Promise<z.input<typeof replicaAnswer>> {
  const changed = await context.store.withOrg(claimed.org, async (tx) => {
    const row = await tx
      .selectFrom('endpoint_slot as slot')
      .innerJoin('attempt', (join) => join.onRef('attempt.job', '=', 'slot.job').on('attempt.attempt', '=', attempt))
      .innerJoin('job', 'job.job', 'slot.job')
      .select(['attempt.agent', 'attempt.stopped', 'attempt.granted_at', 'attempt.ends_by', 'job.attempt'])
      .select(['slot.state', 'slot.attempt as said_of'])
      .where('slot.job', '=', job)
      .forNoKeyUpdate('slot')
      .executeTakeFirst();
    if (row === undefined || row.agent !== agent)
      throw new CustodianError('not-found', 'this agent was granted no such replica');
    if (row.attempt !== attempt || row.stopped !== null)
      throw new CustodianError('conflict', 'this attempt of the replica is over');
    // Renewals of its lease pass the custodian by.
    if (row.ends_by !== FENCED) context.leaseEnds.runs({ ...row, job });
    if (row.state === state && row.said_of === attempt) return false;
    await tx.updateTable('endpoint_slot').set({ attempt, state }).where('job', '=', job).execute();
    context.fault('replica-before-commit');
    return true;
  });
  if (state === 'ready') context.endpoints.heard(job);
  if (changed) {
    context.fault('replica-after-commit');
    context.endpoints.changed();
  }
  return { gateways: await listGateways(context, claimed) };
}
