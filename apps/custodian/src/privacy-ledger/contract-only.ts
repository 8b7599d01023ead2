import type { ArtifactId, DeviceId } from '@ringfence/base';
import type { JobStatement } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { requireDatasetOwner } from '../release/dataset-owners.ts';
import type { Tx } from '../store/open-store.ts';
import { sourcesOf } from './lineage.ts';

/**
 * Lets no job mount a dataset any more but those of a federation, or, by its owner's word alone, every job that the label allows again. Throws
 * CustodianError `not-authorised`.
 */
export async function setContractOnly(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { artifact, device, on }: { artifact: ArtifactId; device: DeviceId; on: boolean },
): Promise<void> {
  const { org } = claimed;
  if (on)
    await tx
      .insertInto('contract_only')
      .values({ artifact, org, device, at: context.clock.now() })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  else {
    await requireDatasetOwner(context, tx, claimed, { artifact, device });
    await tx.deleteFrom('contract_only').where('artifact', '=', artifact).execute();
  }
  await context.record(tx, org, { type: 'contract-only-set', artifact, on, device });
}

/** Whether a job of this type may mount all of these; see {@link mayMount}. */
export async function mayMountAll(
  tx: Tx,
  data: readonly { readonly artifact: ArtifactId }[],
  type: JobStatement['type'],
): Promise<boolean> {
  for (const { artifact } of data) if (!(await mayMount(tx, artifact, type))) return false;
  return true;
}

/** Whether a job of this type may mount an artifact: neither it nor a dataset that it shares objects with, or is said to be made of, is for federations alone. */
async function mayMount(tx: Tx, artifact: ArtifactId, type: JobStatement['type']): Promise<boolean> {
  if (type === 'federate') return true;
  const found = await tx
    .selectFrom('contract_only')
    .select('artifact')
    .where('artifact', 'in', await sourcesOf(tx, artifact, ['declared', 'overlap']))
    .limit(1)
    .executeTakeFirst();
  return found === undefined;
}
