import type { DeviceId } from '@ringfence/base';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { lockEndpoint } from './endpoint-rows.ts';

/** Fixes the number of replicas, or gives it back to the autoscaler. Throws CustodianError `not-found`. */
export async function scaleEndpoint(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  { name, replicas, device }: { name: string; replicas: number | null; device: DeviceId },
): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    const endpoint = await lockEndpoint(context, tx, name);
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
