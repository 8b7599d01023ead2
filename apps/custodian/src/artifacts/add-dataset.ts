import type { ArtifactId, DeviceId } from '@ringfence/base';
import { residencyOf, residencyWithin } from '@ringfence/policy';
import type { ArtifactRow, datasetRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { SENSITIVITIES } from '@ringfence/protocol';
import { requireObjects } from '../objects/chunks.ts';
import { objectsOfPack } from '../objects/pack-objects.ts';
import { noteOrigin } from '../privacy-ledger/note-origin.ts';
import { claimDataset } from '../release/dataset-owners.ts';
import type { Tx } from '../store/open-store.ts';
import { artifactRowOf, findVersionOf, takeVersion } from './artifact-rows.ts';
import { insertVersion } from './insert-version.ts';

/** Adds a dataset, or a newer version of one, with the label that its owner sets. Throws CustodianError `missing-objects`, `conflict`, `label-lowered`. */
export async function addDataset(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: z.output<typeof datasetRequest>,
  device: DeviceId,
): Promise<ArtifactRow> {
  const { name, pack, lowerLabel, owner, derivedFrom, contractOnly, ...details } = request;
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
    if (lowerLabel !== true) await refuseLooser(context, tx, claimed, { artifact, version, label: details });
    await claimDataset(context, tx, claimed, { artifact, device, owner, lowerLabel });
    const at = context.clock.now();
    const added = { artifact, version, kind: 'dataset', name, pack, job: null, at, ...details } as const;
    await insertVersion(context, tx, claimed, added);
    await noteOrigin(context, tx, claimed, { artifact, version, objects, derivedFrom, contractOnly, device });
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

/**
 * A new version by the old name rules every job that mounts the name: that its data needs less care is said aloud, or not at all. Compared
 * with the newest version that is left, whatever its rule of retention says. Throws CustodianError `label-lowered`.
 */
export async function refuseLooser(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { artifact, version, label }: { artifact: ArtifactId; version: number; label: Label },
): Promise<void> {
  if (version === 1) return;
  const before = await findVersionOf(context, tx, claimed, { artifact });
  if (before === undefined)
    throw new CustodianError(
      'label-lowered',
      'the label of the versions before went with them, so this one may be looser',
      {
        next: 'the owner of the dataset adds it with --lower-label',
      },
    );
  const looser = looserParts(before, label);
  if (looser.length === 0) return;
  throw new CustodianError(
    'label-lowered',
    `the label would be looser than that of the version before (${looser.join(', ')})`,
    {
      next: `keep it (the version before is ${before.sensitivity}), or add --lower-label if the new data needs less care`,
    },
  );
}

/** An empty list allows any place, or any purpose. */
function looserParts(before: Label, now: Label): string[] {
  return [
    SENSITIVITIES.indexOf(now.sensitivity) < SENSITIVITIES.indexOf(before.sensitivity) ? 'sensitivity' : '',
    residencyWithin(residencyOf(now.residency), residencyOf(before.residency)) ? '' : 'residency',
    before.purposes.length === 0 || isWithin(now.purposes, before.purposes) ? '' : 'purpose',
  ].filter((part) => part !== '');
}

function isWithin(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.length > 0 && inner.every((one) => outer.includes(one));
}
