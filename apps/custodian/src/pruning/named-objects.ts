import type { Digest } from '@ringfence/crypto/sign';
import type { PackReference } from '@ringfence/protocol/payload';
import { listAllVersions } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { keptLogs } from '../jobs/attempt-log.ts';
import { objectsOfPack } from '../objects/pack-objects.ts';
import type { Tx } from '../store/open-store.ts';
import { liveUse } from './live-jobs.ts';

/** Every object that a version, a kept log, or the code or checkpoint of a job that is not over names. Throws CustodianError `unavailable`. */
export async function namedObjects(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<ReadonlySet<Digest>> {
  const versions = await listAllVersions(context, tx, claimed);
  const packs: PackReference[] = versions.flatMap(({ pack }) => (pack === undefined ? [] : [pack]));
  packs.push(
    ...(await keptLogs(context, tx, claimed)).map(({ pack }) => pack),
    ...(await liveUse(context, tx, claimed)).packs,
  );
  const named = new Set<Digest>();
  for (const pack of packs) {
    const objects = await objectsOfPack(context, claimed, pack);
    // What this one names is not known, so nothing can be told to be nobody's.
    if (objects === undefined)
      throw new CustodianError('unavailable', 'a manifest is not on disk or does not open: nothing is removed', {
        next: 'restore the custodian’s objects from a backup, or prune the version whose files are lost',
      });
    for (const digest of objects) named.add(digest);
  }
  return named;
}
