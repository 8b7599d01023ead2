import type { AgentId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import type { entryAnswer, entryRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

/** What may be looked into while it runs; below that the owner of the data would have to release it first (invariant 8). */
const OPEN_LABELS: readonly string[] = ['public', 'internal'];

/**
 * Decides whether a device may enter the sandbox of an attempt, by policy and label as they are now, and writes down who did. Only the agent
 * that runs the current attempt is answered with yes.
 */
export async function enterAttempt(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, attempt, device, kind }: z.output<typeof entryRequest>,
  agent: AgentId,
): Promise<z.input<typeof entryAnswer>> {
  const { org, project, keyring } = claimed;
  const principal = { type: 'Device', id: device, org, roles: keyring.rolesOf(device) } as const;
  const resource = { type: 'Job', id: job, org, project } as const;
  const action = kind === 'exec' ? 'job:exec' : 'job:copy';
  const permitted =
    keyring.device(device) !== undefined && context.authoriser.authorise({ principal, action, resource }).allow;
  return context.store.withOrg(org, async (tx) => {
    const row = await tx
      .selectFrom('job')
      .innerJoin('attempt', (join) =>
        join.onRef('attempt.job', '=', 'job.job').onRef('attempt.attempt', '=', 'job.attempt'),
      )
      .select(['job.label_envelope', 'attempt.attempt', 'attempt.agent', 'attempt.stopped'])
      .where('job.job', '=', job)
      .executeTakeFirst();
    if (row === undefined || row.attempt !== attempt || row.agent !== agent || row.stopped !== null)
      return { result: 'refused', reason: 'not-current' };
    if (!permitted) return { result: 'refused', reason: 'not-authorised' };
    const { sensitivity } = readStatement('label', row.label_envelope).claimed;
    if (!OPEN_LABELS.includes(sensitivity)) return { result: 'refused', reason: 'label' };
    await context.record(tx, org, { type: 'entered', job, attempt, agent, device, kind });
    return { result: 'allowed' };
  });
}
