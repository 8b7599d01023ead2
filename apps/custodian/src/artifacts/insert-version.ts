import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { wrapKey } from '../objects/wrapped-key.ts';
import type { Tx } from '../store/open-store.ts';
import { ARTIFACT_DETAILS, ARTIFACT_PLACE, type ArtifactDetails } from '../store/sealed-columns.ts';
import { versionRow, type FoundVersion, type VersionContent } from './artifact-rows.ts';

/** A version that is to be stored; its name and kind are its artifact's. */
export type NewVersion = ArtifactDetails & VersionContent & Pick<FoundVersion, 'artifact' | 'version' | 'job' | 'at'>;

/** Stores a version: its label and size sealed, its data key wrapped apart from its objects. */
export async function insertVersion(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  added: NewVersion,
): Promise<void> {
  const { artifact, version, job, at, sensitivity, residency, purposes, noPurpose, files, bytes } = added;
  const details = { sensitivity, residency, purposes, noPurpose, files, bytes };
  await tx
    .insertInto('artifact_version')
    .values({
      artifact,
      version,
      org: claimed.org,
      ...(await contentColumns(context, tx, claimed, added)),
      details_box: context.columns.seal(ARTIFACT_DETAILS, versionRow(artifact, version), details),
      job,
      at,
    })
    .execute();
}

async function contentColumns(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation, added: NewVersion) {
  const { artifact, version } = added;
  if (added.pack !== undefined)
    return {
      manifest: added.pack.manifest,
      place_box: null,
      ...(await wrapKey(context, tx, claimed, { object: artifact, version, key: added.pack.key })),
    };
  const { manifest, ...place } = added.place;
  const place_box = context.columns.seal(ARTIFACT_PLACE, versionRow(artifact, version), place);
  return { manifest, place_box, kek: null, kek_version: null, key_box: null };
}
