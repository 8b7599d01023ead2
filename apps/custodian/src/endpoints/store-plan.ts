import type { JobId } from '@ringfence/base';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { enqueue } from '../links/outbox.ts';
import type { EndpointParts } from './endpoint-parts.ts';
import type { Endpoint } from './endpoint-state.ts';
import type { EndpointPlan } from './rollout.ts';

/** How long a replica has for the requests in flight when it is parked or ends. */
const DRAIN_MS = 30_000;

/** What the control plane is to hear of one slot. */
export interface Telling {
  readonly job: JobId;
  readonly say: 'wanted' | 'parked' | 'final';
}

/** Stores what was decided of an endpoint; the control plane hears of it by {@link tellSlots}. A revision that changed meanwhile stays as it is. */
export async function storePlan(
  context: EndpointParts,
  { org }: ClaimedOrganisation,
  { endpoint, revisions }: Endpoint,
  { turns, wishes }: EndpointPlan,
): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    await tx.selectFrom('endpoint').select('endpoint').where('endpoint', '=', endpoint).forNoKeyUpdate().execute();
    for (const { revision, state } of turns) {
      const before = revisions.find((known) => known.revision === revision)?.state;
      if (before === undefined) continue;
      const turned = await tx
        .updateTable('endpoint_revision')
        .set({ state })
        .where('endpoint', '=', endpoint)
        .where('revision', '=', revision)
        .where('state', '=', before)
        .returning('revision')
        .executeTakeFirst();
      if (turned !== undefined) await context.record(tx, org, { type: 'endpoint-turned', endpoint, revision, state });
    }
    for (const { job, wanted } of wishes)
      await tx.updateTable('endpoint_slot').set({ wanted }).where('job', '=', job).execute();
    context.fault('scale-before-commit');
  });
  context.fault('scale-after-commit');
}

/** Hands the control plane, durably, which replicas it is to run. */
export async function tellSlots(
  context: EndpointParts,
  { org }: ClaimedOrganisation,
  tellings: readonly Telling[],
): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    for (const { job, say } of tellings) {
      await tx.updateTable('endpoint_slot').set({ told: say }).where('job', '=', job).execute();
      const body = { job, wanted: say === 'wanted', graceMs: DRAIN_MS };
      await enqueue(tx, org, { name: 'wanted', body: say === 'final' ? { ...body, final: true } : body });
    }
    context.fault('scale-before-commit');
  });
  context.fault('scale-after-commit');
  context.link.wake();
}
