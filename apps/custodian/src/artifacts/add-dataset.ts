import type { DeviceId } from '@ringfence/base';
import type { ArtifactRow, datasetRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { requireObjects } from '../objects/chunks.ts';
import { objectsOfPack } from '../objects/pack-objects.ts';
import { artifactRowOf, takeVersion } from './artifact-rows.ts';
import { insertVersion } from './insert-version.ts';

/** Adds a dataset, or a newer version of one, with the label that its owner sets. Throws CustodianError `missing-objects`, `conflict`. */
export async function addDataset(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: z.output<typeof datasetRequest>,
  device: DeviceId,
): Promise<ArtifactRow> {
  const { name, pack, ...details } = request;
  const objects = await objectsOfPack(context, claimed, pack);
  if (objects === undefined)
    throw new CustodianError(
      'missing-objects',
      'the manifest of this pack is not stored, or its key does not open it',
      {
        next: 'upload the pack again',
      },
    );
  return context.store.withOrg(claimed.org, async (tx) => {
    await requireObjects(tx, objects);
    const { artifact, version } = await takeVersion(context, tx, claimed, { name, kind: 'dataset' });
    const at = context.clock.now();
    const added = { artifact, version, kind: 'dataset', name, pack, job: null, at, ...details } as const;
    await insertVersion(context, tx, claimed, added);
    await context.record(tx, claimed.org, {
      type: 'dataset-added',
      artifact,
      version,
      manifest: pack.manifest,
      sensitivity: details.sensitivity,
      device,
    });
    return artifactRowOf(added);
  });
}
