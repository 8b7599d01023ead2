import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { wrapKey } from '../objects/wrapped-key.ts';
import type { Tx } from '../store/open-store.ts';
import { ARTIFACT_DETAILS } from '../store/sealed-columns.ts';
import { versionRow, type FoundVersion } from './artifact-rows.ts';

/** Stores a version: its label and size sealed, its data key wrapped apart from its objects. */
export async function insertVersion(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  added: Omit<FoundVersion, 'kind' | 'name'>,
): Promise<void> {
  const { artifact, version, pack, job, at, sensitivity, residency, purposes, noPurpose, files, bytes } = added;
  const details = { sensitivity, residency, purposes, noPurpose, files, bytes };
  await tx
    .insertInto('artifact_version')
    .values({
      artifact,
      version,
      org: claimed.org,
      manifest: pack.manifest,
      ...wrapKey(context, claimed, { object: artifact, version }, pack.key),
      details_box: context.columns.seal(ARTIFACT_DETAILS, versionRow(artifact, version), details),
      job,
      at,
    })
    .execute();
}
