import type { ArtifactId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { sql } from 'kysely';
import { findVersionOf } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { objectsOfPack } from '../objects/pack-objects.ts';
import type { Tx } from '../store/open-store.ts';
import { noteSources } from './lineage.ts';

/** A version of a dataset, by the objects that it consists of. */
export interface VersionObjects {
  readonly artifact: ArtifactId;
  readonly version: number;
  readonly objects: readonly Digest[];
}

/**
 * Notes what a version of a dataset consists of, and that it overlaps with every dataset that has, or had, one of these objects: equal pieces of data
 * are sealed once, so whoever adds some of it again under another name names the same objects.
 */
export async function noteObjects(
  { clock }: Pick<CustodianContext, 'clock'>,
  tx: Tx,
  { org }: Pick<ClaimedOrganisation, 'org'>,
  { artifact, version, objects }: VersionObjects,
): Promise<void> {
  const digests = [...new Set(objects)];
  await sql`insert into dataset_object (artifact, digest, org)
    select ${artifact}, digest, ${org} from unnest(${digests}::text[]) digest on conflict do nothing`.execute(tx);
  await tx
    .insertInto('indexed_version')
    .values({ artifact, version, org })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { rows } = await sql<{ artifact: ArtifactId }>`
    select distinct artifact from dataset_object where digest = any(${digests}) and artifact <> ${artifact}`.execute(
    tx,
  );
  const at = clock.now();
  const both = rows.flatMap((other) => [
    { artifact, source: other.artifact, cause: 'overlap' as const },
    { artifact: other.artifact, source: artifact, cause: 'overlap' as const },
  ]);
  await noteSources(tx, { org, at }, both);
}

/** Notes the objects of every version of a dataset that was added before this was done at once; what cannot be read any more is its manifest alone. */
export async function noteEarlierObjects(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<void> {
  const versions = await tx
    .selectFrom('artifact_version')
    .innerJoin('artifact', 'artifact.artifact', 'artifact_version.artifact')
    .leftJoin('indexed_version', (join) =>
      join
        .onRef('indexed_version.artifact', '=', 'artifact_version.artifact')
        .onRef('indexed_version.version', '=', 'artifact_version.version'),
    )
    .select(['artifact_version.artifact', 'artifact_version.version', 'manifest'])
    .where('artifact.kind', '=', 'dataset')
    .where('indexed_version.version', 'is', null)
    .execute();
  for (const { artifact, version, manifest } of versions) {
    const found = await findVersionOf(context, tx, claimed, { artifact, version });
    const objects = found?.pack === undefined ? undefined : await objectsOfPack(context, claimed, found.pack);
    await noteObjects(context, tx, claimed, { artifact, version, objects: objects ?? [manifest] });
  }
}
