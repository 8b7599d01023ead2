import type { DeviceId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { pruneAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { listAllVersions, versionRow, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { destroyGrants } from '../erasure/destroy-grants.ts';
import type { Tx } from '../store/open-store.ts';
import { chooseVersions, type Choice, type PruneWish } from './choose-versions.ts';
import { deleteObjects } from './delete-objects.ts';
import { liveUse } from './live-jobs.ts';
import { namedObjects } from './named-objects.ts';
import { sweepFiles } from './sweep-files.ts';

type Answer = z.input<typeof pruneAnswer>;

const BATCH = 1_000;

/**
 * Removes versions and old logs, then every object that nothing names and that was neither stored nor relied on within the grace. With a row
 * its wrapped key goes, in the transaction of its ledger entry: from then on nobody opens the object, whatever becomes of its file.
 */
export async function prune(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  wish: PruneWish,
  device: DeviceId,
): Promise<Answer> {
  const { store, clock } = context;
  const cutoff = clock.now() - wish.graceMs;
  const choice = await store.withOrg(claimed.org, async (tx) => {
    const chosen = await chooseNow(context, tx, claimed, wish);
    if (!wish.dryRun) {
      for (const version of chosen.removed) await removeVersion(context, tx, claimed, { version, device });
      await destroyGrants(tx, chosen.removed);
      await removeLogs(context, tx, claimed, { wish, device });
    }
    return chosen;
  });
  const objects = wish.dryRun ? { objects: 0, bytes: 0 } : await removeObjects(context, claimed, { cutoff, device });
  if (!wish.dryRun) await sweepFiles(context, claimed);
  return {
    removed: choice.removed.map(rowOf),
    kept: choice.kept.map(({ version, reason }) => ({ ...rowOf(version), reason })),
    ...objects,
  };
}

async function chooseNow(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  wish: PruneWish,
): Promise<Choice<FoundVersion>> {
  const versions = await listAllVersions(context, tx, claimed);
  const { mountedNames, mountedVersions } = await liveUse(context, tx, claimed);
  const isNewest = ({ artifact, version }: FoundVersion): boolean =>
    !versions.some((other) => other.artifact === artifact && other.version > version);
  return chooseVersions(versions, wish, {
    isMounted: (found) =>
      mountedVersions.has(versionRow(found.artifact, found.version)) ||
      (isNewest(found) && mountedNames.has(found.name)),
    now: context.clock.now(),
  });
}

function rowOf({ name, version, bytes }: FoundVersion) {
  return { name, version, bytes };
}

async function removeVersion(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { version: { artifact, version }, device }: { version: FoundVersion; device: DeviceId },
): Promise<void> {
  await tx.deleteFrom('artifact_version').where('artifact', '=', artifact).where('version', '=', version).execute();
  await context.record(tx, org, { type: 'version-pruned', artifact, version, device });
}

async function removeLogs(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { wish: { logsOlderThanMs }, device }: { wish: PruneWish; device: DeviceId },
): Promise<void> {
  if (logsOlderThanMs === undefined) return;
  const gone = await tx
    .deleteFrom('attempt_log')
    .where('at', '<', context.clock.now() - logsOlderThanMs)
    .where('job', 'in', (jobs) =>
      jobs
        .selectFrom('job')
        .select('job.job')
        .where((is) => is.or([is('closed', 'is not', null), is('commit_record', 'is not', null)])),
    )
    .returning(['job', 'attempt'])
    .execute();
  for (const { job, attempt } of gone) await context.record(tx, org, { type: 'log-pruned', job, attempt, device });
}

async function removeObjects(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { cutoff, device }: { cutoff: number; device: DeviceId },
): Promise<{ objects: number; bytes: number }> {
  const { store } = context;
  const idle = await store.withOrg(claimed.org, async (tx) => {
    const old = await tx
      .selectFrom('object')
      .select('digest')
      .where('stored_at', '<', cutoff)
      .where('used_at', '<', cutoff)
      .execute();
    const named = old.length === 0 ? new Set<Digest>() : await namedObjects(context, tx, claimed);
    return old.flatMap(({ digest }) => (named.has(digest) ? [] : [digest]));
  });
  const total = { objects: 0, bytes: 0 };
  for (let at = 0; at < idle.length; at += BATCH) {
    const batch = idle.slice(at, at + BATCH);
    const gone = await store.withOrg(claimed.org, (tx) => shred(context, tx, claimed, { batch, cutoff, device }));
    total.objects += gone.length;
    total.bytes += gone.reduce((sum, { size }) => sum + size, 0);
  }
  return total;
}

async function shred(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { batch, cutoff, device }: { batch: readonly Digest[]; cutoff: number; device: DeviceId },
): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
  const gone = await deleteObjects(tx, claimed, batch, cutoff);
  if (gone.length === 0) return [];
  const bytes = gone.reduce((sum, { size }) => sum + size, 0);
  await context.record(tx, claimed.org, { type: 'objects-pruned', objects: gone.length, bytes, device });
  return gone;
}
