import type { DeviceId } from '@ringfence/base';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { requireDataset } from './budgets.ts';
import { setContractOnly } from './contract-only.ts';
import { noteObjects, type VersionObjects } from './dataset-objects.ts';
import { noteSources } from './lineage.ts';

/** What is said, and what shows, of where a new version of a dataset comes from. */
export interface Origin extends VersionObjects {
  readonly derivedFrom: readonly string[] | undefined;
  readonly contractOnly: true | undefined;
  readonly device: DeviceId;
}

/** Notes the origin of a version that is being added. Throws CustodianError `not-found`. */
export async function noteOrigin(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { derivedFrom = [], contractOnly, device, ...version }: Origin,
): Promise<void> {
  const { artifact } = version;
  await noteObjects(context, tx, claimed, version);
  for (const name of derivedFrom) {
    const source = await requireDataset(context, tx, name);
    const at = context.clock.now();
    await noteSources(tx, { org: claimed.org, at }, [{ artifact, source, cause: 'declared' }]);
  }
  if (contractOnly === true) await setContractOnly(context, tx, claimed, { artifact, device, on: true });
}
