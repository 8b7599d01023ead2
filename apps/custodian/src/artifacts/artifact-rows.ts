import { epochMs, newId, type ArtifactId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ArtifactRow, PackReference } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { unwrapKey } from '../objects/wrapped-key.ts';
import type { Tx } from '../store/open-store.ts';
import {
  ARTIFACT_DETAILS,
  ARTIFACT_NAME,
  ARTIFACT_PLACE,
  type ArtifactDetails,
  type PlaceOfData,
} from '../store/sealed-columns.ts';

/** What a version is: a sealed pack, or the data at its place with the digest of its manifest. */
export type VersionContent =
  | { readonly pack: PackReference; readonly place?: undefined }
  | { readonly place: PlaceOfData & { readonly manifest: Digest }; readonly pack?: undefined };

/** A version of an artifact with its label. */
export type FoundVersion = ArtifactDetails &
  VersionContent & {
    readonly artifact: ArtifactId;
    readonly kind: 'dataset' | 'output';
    readonly name: string;
    readonly version: number;
    readonly job: ArtifactRow['job'];
    readonly at: number;
  };

/** The one name of a version: what its sealed columns are bound to, and what sets of versions hold. */
export function versionRow(artifact: ArtifactId, version: number): string {
  return `${artifact}:${version}`;
}

/** The artifact called `name` of this kind, made when there is none, with the next free version number taken. Throws CustodianError `conflict`. */
export async function takeVersion(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { name, kind }: { name: string; kind: 'dataset' | 'output' },
): Promise<{ artifact: ArtifactId; version: number }> {
  const name_index = context.columns.index('artifact', name);
  const artifact = newId('artifact', context.rng);
  const name_box = context.columns.seal(ARTIFACT_NAME, artifact, name);
  await tx
    .insertInto('artifact')
    .values({ artifact, org, kind, name_index, name_box })
    .onConflict((conflict) => conflict.columns(['org', 'name_index']).doNothing())
    .execute();
  const taken = await tx
    .updateTable('artifact')
    .set({ next_version: sql<number>`next_version + 1` })
    .where('name_index', '=', name_index)
    .returning(['artifact', 'kind', 'next_version'])
    .executeTakeFirstOrThrow();
  if (taken.kind !== kind)
    throw new CustodianError(
      'conflict',
      `this name belongs to ${taken.kind === 'dataset' ? 'a dataset' : 'an output'}`,
      {
        next: 'choose another name',
      },
    );
  return { artifact: taken.artifact, version: taken.next_version - 1 };
}

/** The newest version of the artifact called `name`, or version `version` of it; none that is older than its rule of retention allows. */
export async function findVersion(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { name, version }: { name: string; version?: number | undefined },
): Promise<FoundVersion | undefined> {
  const row = await versionsOf(tx)
    .where('artifact.name_index', '=', context.columns.index('artifact', name))
    .where(sql<boolean>`not ${isExpired(context)}`)
    .$if(version !== undefined, (query) => query.where('artifact_version.version', '=', version ?? 0))
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : opened(context, tx, claimed, row);
}

/** Version `version` of an artifact by its id, or the newest one; when `unexpired`, none that is older than its rule of retention allows. */
export async function findVersionOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { artifact, version, unexpired }: { artifact: ArtifactId; version?: number | undefined; unexpired?: true },
): Promise<FoundVersion | undefined> {
  const row = await versionsOf(tx)
    .where('artifact.artifact', '=', artifact)
    .$if(unexpired === true, (query) => query.where(sql<boolean>`not ${isExpired(context)}`))
    .$if(version !== undefined, (query) => query.where('artifact_version.version', '=', version ?? 0))
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : opened(context, tx, claimed, row);
}

/** All versions, the newest first; of one job when told. */
export async function listVersions(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  job?: ArtifactRow['job'],
): Promise<FoundVersion[]> {
  const rows = await versionsOf(tx)
    .$if(job !== undefined, (query) => query.where('artifact_version.job', '=', job ?? null))
    .limit(10_000)
    .execute();
  return Promise.all(rows.map((row) => opened(context, tx, claimed, row)));
}

/** Every version, however many. */
export async function listAllVersions(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<FoundVersion[]> {
  const rows = await versionsOf(tx).execute();
  return Promise.all(rows.map((row) => opened(context, tx, claimed, row)));
}

/**
 * Keeps versions from being deleted until `tx` ends; false when one is gone already. Whoever deletes looks afterwards for grants that were faster.
 */
export async function holdVersions(tx: Tx, versions: readonly FoundVersion[]): Promise<boolean> {
  for (const { artifact, version } of versions) {
    const held = await tx
      .selectFrom('artifact_version')
      .select('version')
      .where('artifact', '=', artifact)
      .where('version', '=', version)
      .forKeyShare()
      .executeTakeFirst();
    if (held === undefined) return false;
  }
  return true;
}

/** Every version that is older than its rule of retention allows. */
export async function listExpired(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<FoundVersion[]> {
  const rows = await versionsOf(tx).where(isExpired(context)).execute();
  return Promise.all(rows.map((row) => opened(context, tx, claimed, row)));
}

/** The artifact called `name`. */
export async function artifactNamed(context: CustodianContext, tx: Tx, name: string): Promise<ArtifactId | undefined> {
  const row = await tx
    .selectFrom('artifact')
    .select('artifact')
    .where('name_index', '=', context.columns.index('artifact', name))
    .executeTakeFirst();
  return row?.artifact;
}

/** To be asked of a row of `artifact_version`. */
function isExpired({ clock }: CustodianContext) {
  return sql<boolean>`exists (
    select 1 from retention
    where retention.artifact = artifact_version.artifact and artifact_version.at + retention.keep_ms <= ${clock.now()}
  )`;
}

/** A version as devices see it. */
export function artifactRowOf(found: FoundVersion): ArtifactRow {
  const { artifact, kind, name, version, sensitivity, residency, purposes, noPurpose, files, bytes, job, at } = found;
  const place = found.place === undefined ? undefined : placeOf(found.place);
  return {
    artifact,
    kind,
    name,
    version,
    sensitivity,
    residency,
    purposes,
    ...(noPurpose === undefined ? {} : { noPurpose }),
    files,
    bytes,
    job,
    at: epochMs(at),
    ...(place === undefined ? {} : { place }),
  };
}

function placeOf({ site, siteName, path }: PlaceOfData): PlaceOfData {
  return { site, siteName, path };
}

function versionsOf(tx: Tx) {
  return tx
    .selectFrom('artifact_version')
    .innerJoin('artifact', 'artifact.artifact', 'artifact_version.artifact')
    .select(['artifact.artifact', 'artifact.kind', 'artifact.name_box', 'artifact_version.version'])
    .select(['manifest', 'kek', 'kek_version', 'key_box', 'details_box', 'place_box', 'job', 'at'])
    .orderBy('artifact_version.at', 'desc')
    .orderBy('artifact_version.version', 'desc');
}

type VersionRow = Awaited<ReturnType<ReturnType<typeof versionsOf>['executeTakeFirstOrThrow']>>;

async function opened(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  row: VersionRow,
): Promise<FoundVersion> {
  const { artifact, kind, version, job, at } = row;
  return {
    ...context.columns.open(ARTIFACT_DETAILS, versionRow(artifact, version), row.details_box),
    artifact,
    kind,
    name: context.columns.open(ARTIFACT_NAME, artifact, row.name_box),
    version,
    ...(await contentOf(context, tx, claimed, row)),
    job,
    at,
  };
}

async function contentOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  row: VersionRow,
): Promise<VersionContent> {
  const { artifact, version, manifest, kek, kek_version, key_box, place_box } = row;
  if (place_box !== null)
    return { place: { ...context.columns.open(ARTIFACT_PLACE, versionRow(artifact, version), place_box), manifest } };
  if (kek === null || kek_version === null || key_box === null) throw new Error('a version has neither key nor place');
  const key = await unwrapKey(context, tx, claimed, { object: artifact, version, kek, kek_version, key_box });
  return { pack: { manifest, key } };
}
