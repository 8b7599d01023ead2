import { errorFields } from '@ringfence/base';
import { listExpired, versionRow, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { destroyGrants } from '../erasure/destroy-grants.ts';
import { removeData, type FoundLog } from '../erasure/remove-data.ts';
import { keptLogs } from '../jobs/attempt-log.ts';
import { liveUse } from '../pruning/live-jobs.ts';
import { sweepFiles } from '../pruning/sweep-files.ts';
import type { Tx } from '../store/open-store.ts';
import { LOGS } from './retention-rules.ts';

const EVERY_MS = 600_000;

/**
 * Deletes what is older than its rule allows, and what it alone named. A version that an attempt was given stays until its job is over. Gives
 * how many versions and logs went.
 */
export async function expire(context: CustodianContext, claimed: ClaimedOrganisation): Promise<number> {
  const gone = await context.store.withOrg(claimed.org, async (tx) => {
    const versions = await expiredVersions(context, tx, claimed);
    const logs = await expiredLogs(context, tx, claimed);
    if (versions.length + logs.length === 0) return 0;
    await removeData(context, tx, claimed, { versions, logs });
    // A grant that was faster held the rows until it was committed: then all of this is undone, and tried again later.
    const { mountedVersions } = await liveUse(context, tx, claimed);
    if (versions.some(({ artifact, version }) => mountedVersions.has(versionRow(artifact, version))))
      throw new CustodianError('conflict', 'a version that expires was granted meanwhile');
    await destroyGrants(tx, versions);
    for (const { artifact, version } of versions)
      await context.record(tx, claimed.org, { type: 'version-expired', artifact, version });
    for (const { job, attempt } of logs) await context.record(tx, claimed.org, { type: 'log-expired', job, attempt });
    context.fault('expire-before-commit');
    return versions.length + logs.length;
  });
  if (gone === 0) return 0;
  context.fault('expire-after-commit');
  await sweepFiles(context, claimed);
  return gone;
}

async function expiredVersions(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<FoundVersion[]> {
  const expired = await listExpired(context, tx, claimed);
  if (expired.length === 0) return [];
  const { mountedVersions } = await liveUse(context, tx, claimed);
  return expired.filter(({ artifact, version }) => !mountedVersions.has(versionRow(artifact, version)));
}

async function expiredLogs(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation): Promise<FoundLog[]> {
  const rule = await tx.selectFrom('retention').select('keep_ms').where('artifact', '=', LOGS).executeTakeFirst();
  if (rule === undefined) return [];
  const before = context.clock.now() - rule.keep_ms;
  return (await keptLogs(context, tx, claimed)).filter(({ at, isOver }) => isOver && at <= before);
}

/** Expires now and every 10 minutes, until ended; what is under way then is waited for. */
export function keepExpiring(context: CustodianContext, claimed: ClaimedOrganisation): () => Promise<void> {
  let ended = false;
  let cancel = (): void => {};
  const look = async (): Promise<void> => {
    try {
      await expire(context, claimed);
    } catch (error) {
      context.log.warn('retention.unfinished', errorFields(error));
    }
    if (!ended) cancel = context.clock.after(EVERY_MS, () => (running = look()));
  };
  let running = look();
  return async () => {
    ended = true;
    cancel();
    await running;
  };
}
