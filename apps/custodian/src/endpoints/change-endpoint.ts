import type { DeviceId, EndpointId } from '@ringfence/base';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { lockEndpoint } from './endpoint-rows.ts';

/** Fixes the number of replicas, or gives it back to the autoscaler. Throws CustodianError `not-found`, and `conflict` for more than there are slots. */
export async function scaleEndpoint(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  { name, replicas, device }: { name: string; replicas: number | null; device: DeviceId },
): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    const endpoint = await lockEndpoint(context, tx, name);
    await refuseMoreThanSlots(tx, endpoint, replicas ?? 0);
    await tx.updateTable('endpoint').set({ manual: replicas }).where('endpoint', '=', endpoint).execute();
    await context.record(tx, org, { type: 'endpoint-scaled', endpoint, replicas, device });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
  context.endpoints.changed();
}

/** Ends an endpoint for good: no gateway lists it, its replicas drain and stop, its tokens are void, its name is free. Throws CustodianError `not-found`. */
export async function removeEndpoint(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  { name, device }: { name: string; device: DeviceId },
): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    const endpoint = await lockEndpoint(context, tx, name);
    await tx
      .updateTable('endpoint')
      .set({ removed: true, name_index: endpoint })
      .where('endpoint', '=', endpoint)
      .execute();
    await tx
      .updateTable('endpoint_revision')
      .set({ state: 'going' })
      .where('endpoint', '=', endpoint)
      .where('state', 'in', ['coming', 'current'])
      .execute();
    await tx.deleteFrom('endpoint_token').where('endpoint', '=', endpoint).execute();
    await context.record(tx, org, { type: 'endpoint-removed', endpoint, device });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
  context.endpoints.changed();
}

/** Each replica is a job that its device signed at launch: there are no more of them. */
async function refuseMoreThanSlots(tx: Tx, endpoint: EndpointId, replicas: number): Promise<void> {
  const { slots } = await tx
    .selectFrom('endpoint_slot')
    .innerJoin('endpoint_revision', (join) =>
      join
        .onRef('endpoint_revision.endpoint', '=', 'endpoint_slot.endpoint')
        .onRef('endpoint_revision.revision', '=', 'endpoint_slot.revision'),
    )
    .where('endpoint_slot.endpoint', '=', endpoint)
    .where('endpoint_revision.state', 'in', ['coming', 'current'])
    .select(({ fn }) => fn.max('endpoint_slot.slot').as('slots'))
    .executeTakeFirstOrThrow();
  const most = Number(slots ?? -1) + 1;
  if (replicas > most)
    throw new CustodianError('conflict', `this endpoint was launched with at most ${most} replicas`, {
      next: 'launch it again with more in `service: {replicas: …}`',
    });
}
