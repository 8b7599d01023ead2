import type { AgentId } from '@ringfence/base';
import type { entryAnswer, entryRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { watchedDevice } from '../locks/watched-parties.ts';
import { openThing } from '../release/open-gate.ts';
import { streamThing } from '../release/things.ts';

/**
 * Decides whether a device may enter the sandbox of an attempt, by policy and label as they are now, on confidential and restricted data by a
 * rule of its owner (invariant 8), and writes down who did. Only the agent that runs the current attempt is answered with yes.
 */
export async function enterAttempt(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, attempt, device, kind }: z.output<typeof entryRequest>,
  agent: AgentId,
): Promise<z.input<typeof entryAnswer>> {
  const { org, project, keyring } = claimed;
  const unlocked = context.locks.checkCaller(watchedDevice(context, claimed, device), context.clock.now());
  const principal = { type: 'Device', id: device, org, roles: unlocked.allow ? unlocked.roles : [] } as const;
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
      .select(['attempt.attempt', 'attempt.agent', 'attempt.stopped'])
      .where('job.job', '=', job)
      .executeTakeFirst();
    if (row === undefined || row.attempt !== attempt || row.agent !== agent || row.stopped !== null)
      return { result: 'refused', reason: 'not-current' };
    if (!permitted) return { result: 'refused', reason: 'not-authorised' };
    const opening = kind === 'exec' ? 'exec' : 'copy';
    const thing = await streamThing(context, tx, claimed, { job, attempt, kind: opening });
    const decision = thing === undefined ? undefined : await openThing(context, tx, claimed, { thing, device });
    if (decision?.allow === false) return { result: 'refused', reason: 'label' };
    await context.record(tx, org, { type: 'entered', job, attempt, agent, device, kind });
    return { result: 'allowed' };
  });
}
