import type { AgentId } from '@ringfence/base';
import type { openingAnswer, openingRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { openThing } from './open-gate.ts';
import { streamThing } from './things.ts';

/**
 * Decides whether an agent may show a device the log or the metrics of an attempt that it was granted. Whether the device may read them at all
 * is asked before, by the agent: this is the owner's word alone.
 */
export async function openStream(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, attempt, device, kind }: z.output<typeof openingRequest>,
  agent: AgentId,
): Promise<z.input<typeof openingAnswer>> {
  if (claimed.keyring.device(device) === undefined) return { result: 'refused', reason: 'not-found' };
  return context.store.withOrg(claimed.org, async (tx) => {
    const own = await tx
      .selectFrom('attempt')
      .select('attempt')
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .where('agent', '=', agent)
      .executeTakeFirst();
    if (own === undefined) return { result: 'refused', reason: 'not-found' };
    const thing = await streamThing(context, tx, claimed, { job, attempt, kind });
    const decision = thing === undefined ? undefined : await openThing(context, tx, claimed, { thing, device });
    return decision?.allow === false ? { result: 'refused', reason: 'not-released' } : { result: 'opened' };
  });
}
