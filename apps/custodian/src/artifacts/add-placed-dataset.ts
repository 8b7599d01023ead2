import type { AgentId, DeviceId } from '@ringfence/base';
import type { ArtifactRow, placedDatasetRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { AGENT_PLACE, type PlaceOfData } from '../store/sealed-columns.ts';
import { noteOrigin } from '../privacy-ledger/note-origin.ts';
import { claimDataset } from '../release/dataset-owners.ts';
import { refuseLooser } from './add-dataset.ts';
import { artifactRowOf, takeVersion } from './artifact-rows.ts';
import { insertVersion } from './insert-version.ts';

/**
 * Adds a dataset, or a newer version of one, that stays where the named agent read it; the site is that agent's by the keyring. Throws
 * CustodianError `not-found`, `conflict`, `label-lowered`.
 */
export async function addPlacedDataset(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: z.output<typeof placedDatasetRequest>,
  device: DeviceId,
): Promise<ArtifactRow> {
  const { name, lowerLabel, owner, agent, path, manifest, derivedFrom, contractOnly, ...details } = request;
  return context.store.withOrg(claimed.org, async (tx) => {
    const place = { ...(await siteOf(context, tx, claimed, agent)), path, manifest };
    const { artifact, version } = await takeVersion(context, tx, claimed, { name, kind: 'dataset' });
    if (lowerLabel !== true) await refuseLooser(context, tx, claimed, { artifact, version, label: details });
    await claimDataset(context, tx, claimed, { artifact, device, owner, lowerLabel });
    const at = context.clock.now();
    const added = { artifact, version, kind: 'dataset', name, place, job: null, at, ...details } as const;
    await insertVersion(context, tx, claimed, added);
    const objects = [manifest];
    await noteOrigin(context, tx, claimed, { artifact, version, objects, derivedFrom, contractOnly, device });
    const { sensitivity } = details;
    await context.record(tx, claimed.org, {
      type: 'dataset-added',
      artifact,
      version,
      manifest,
      sensitivity,
      device,
      site: place.site,
    });
    return artifactRowOf(added);
  });
}

async function siteOf(
  { columns }: CustodianContext,
  tx: Tx,
  { keyring }: ClaimedOrganisation,
  agent: AgentId,
): Promise<Pick<PlaceOfData, 'site' | 'siteName'>> {
  const entry = keyring.agent(agent);
  const row = await tx
    .selectFrom('agent')
    .select('place_box')
    .where('agent', '=', agent)
    .where('removed', '=', false)
    .executeTakeFirst();
  if (entry === undefined || row === undefined)
    throw new CustodianError('not-found', 'the agent that read the data is no member', {
      next: 'see `ringfence agent ls`',
    });
  return { site: entry.site, siteName: columns.open(AGENT_PLACE, agent, row.place_box).site };
}
