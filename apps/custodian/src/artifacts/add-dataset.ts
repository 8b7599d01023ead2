import type { DeviceId } from '@ringfence/base';
import type { ArtifactRow, datasetRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { SENSITIVITIES } from '@ringfence/protocol';
import { requireObjects } from '../objects/chunks.ts';
import { objectsOfPack } from '../objects/pack-objects.ts';
import { artifactRowOf, findVersion, takeVersion } from './artifact-rows.ts';
import { insertVersion } from './insert-version.ts';

/** Adds a dataset, or a newer version of one, with the label that its owner sets. Throws CustodianError `missing-objects`, `conflict`, `label-lowered`. */
export async function addDataset(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: z.output<typeof datasetRequest>,
  device: DeviceId,
): Promise<ArtifactRow> {
  const { name, pack, lowerLabel, ...details } = request;
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
    await requireObjects(tx, objects, context.clock.now());
    const { artifact, version } = await takeVersion(context, tx, claimed, { name, kind: 'dataset' });
    const before = await findVersion(context, tx, claimed, { name });
    if (before !== undefined && lowerLabel !== true) refuseLooser(before, details);
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

type Label = Pick<z.output<typeof datasetRequest>, 'sensitivity' | 'residency' | 'purposes'>;

/** A new version by the old name rules every job that mounts the name: that its data needs less care is said aloud, or not at all. */
export function refuseLooser(before: Label, now: Label): void {
  const looser = [
    SENSITIVITIES.indexOf(now.sensitivity) < SENSITIVITIES.indexOf(before.sensitivity) ? 'sensitivity' : '',
    before.residency.length > 0 && now.residency.length === 0 ? 'residency' : '',
    before.purposes.length > 0 && now.purposes.length === 0 ? 'purpose' : '',
  ].filter((part) => part !== '');
  if (looser.length === 0) return;
  throw new CustodianError(
    'label-lowered',
    `the label would be looser than that of the version before (${looser.join(', ')})`,
    {
      next: `keep it (the version before is ${before.sensitivity}), or add --lower-label if the new data needs less care`,
    },
  );
}
