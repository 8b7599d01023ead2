import { epochMs, type ArtifactId, type DeviceId } from '@ringfence/base';
import type { RetentionRow, retentionRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { artifactNamed } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { requireDatasetOwner } from '../release/dataset-owners.ts';
import type { Tx } from '../store/open-store.ts';
import { ARTIFACT_NAME } from '../store/sealed-columns.ts';

/** Stands for kept logs, which have no artifact. */
export const LOGS = '';

/** Sets how long versions of an artifact, or logs, are kept; or that there is no end. Throws CustodianError `not-found`, `not-authorised`. */
export async function setRetention(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { of, keepMs }: z.output<typeof retentionRequest>,
  device: DeviceId,
): Promise<RetentionRow[]> {
  const { org } = claimed;
  return context.store.withOrg(org, async (tx) => {
    const artifact: ArtifactId | '' = 'logs' in of ? LOGS : await requireArtifact(context, tx, of.name);
    if (artifact !== LOGS) await requireDatasetOwner(context, tx, claimed, { artifact, device });
    const at = context.clock.now();
    if (keepMs === null) await tx.deleteFrom('retention').where('artifact', '=', artifact).execute();
    else
      await tx
        .insertInto('retention')
        .values({ org, artifact, keep_ms: keepMs, device, at })
        .onConflict((conflict) => conflict.columns(['org', 'artifact']).doUpdateSet({ keep_ms: keepMs, device, at }))
        .execute();
    await context.record(tx, org, {
      type: 'retention-set',
      ...(artifact === LOGS ? {} : { artifact }),
      keepMs,
      device,
    });
    return listRetention(context, tx);
  });
}

/** All rules. */
export async function listRetention(context: CustodianContext, tx: Tx): Promise<RetentionRow[]> {
  const rows = await tx
    .selectFrom('retention')
    .leftJoin('artifact', 'artifact.artifact', 'retention.artifact')
    .select(['retention.artifact', 'keep_ms', 'device', 'at', 'name_box'])
    .orderBy('at')
    .execute();
  return rows.map(({ artifact, keep_ms, device, at, name_box }) => ({
    of:
      artifact === LOGS || name_box === null
        ? { logs: true }
        : { name: context.columns.open(ARTIFACT_NAME, artifact, name_box) },
    keepMs: keep_ms,
    device,
    at: epochMs(at),
  }));
}

async function requireArtifact(context: CustodianContext, tx: Tx, name: string): Promise<ArtifactId> {
  const found = await artifactNamed(context, tx, name);
  if (found !== undefined) return found;
  throw new CustodianError('not-found', 'there is no dataset or output of this name', {
    next: 'see `ringfence dataset ls` and `ringfence artifact ls`; names are case-sensitive',
  });
}
