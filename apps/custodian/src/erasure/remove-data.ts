import type { JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { PackReference } from '@ringfence/protocol/payload';
import type { FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { LARGEST_AGENT_MANIFEST, objectsOfPack } from '../objects/pack-objects.ts';
import { deleteObjects } from '../pruning/delete-objects.ts';
import { namedObjects } from '../pruning/named-objects.ts';
import type { Tx } from '../store/open-store.ts';

/** A kept log with the key of its manifest. */
export interface FoundLog {
  readonly job: JobId;
  readonly attempt: number;
  readonly pack: PackReference;
}

/** What is to go. */
export interface DataToRemove {
  readonly versions: readonly FoundVersion[];
  readonly logs: readonly FoundLog[];
}

/** How many sealed objects went, and how many of those that were named stay since something else names or uses them. */
export interface RemovedObjects {
  readonly objects: number;
  readonly shared: number;
}

/**
 * Deletes versions and logs with the wrapped keys of their manifests, and every object that nothing else names with that of its chunk, all in
 * `tx`: a crash leaves all of it or nothing. The files are for sweepFiles. Throws CustodianError `unavailable` when some other pack cannot be read.
 */
export async function removeData(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { versions, logs }: DataToRemove,
): Promise<RemovedObjects> {
  const before = context.clock.now();
  const packs = [
    ...versions.flatMap(({ pack }) => (pack === undefined ? [] : [pack])),
    ...logs.map(({ pack }) => pack),
  ];
  const own = new Set<Digest>();
  for (const pack of packs)
    // A manifest that is lost names nothing that could be found; its own object goes.
    for (const digest of (await objectsOfPack(context, claimed, pack, LARGEST_AGENT_MANIFEST)) ?? [pack.manifest])
      own.add(digest);
  for (const { artifact, version } of versions)
    await tx.deleteFrom('artifact_version').where('artifact', '=', artifact).where('version', '=', version).execute();
  for (const { job, attempt } of logs)
    await tx.deleteFrom('attempt_log').where('job', '=', job).where('attempt', '=', attempt).execute();
  if (own.size === 0) return { objects: 0, shared: 0 };
  const named = await namedObjects(context, tx, claimed);
  const gone = await deleteObjects(
    tx,
    claimed,
    [...own].filter((digest) => !named.has(digest)),
    before + 1,
  );
  return { objects: gone.length, shared: own.size - gone.length };
}
