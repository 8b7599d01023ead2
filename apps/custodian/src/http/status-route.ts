import { epochMs } from '@ringfence/base';
import { backupRequest, custodianStatus } from '@ringfence/protocol/payload';
import { judgeProduction } from '@ringfence/store';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { makeBackup } from '../backup/make-backup.ts';
import { memberRoute, type Route } from './route.ts';

/** The route that `ringfence doctor` reads. */
export function statusRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'GET',
    path: '/v1/status',
    summary: 'How the custodian stands.',
    who: ['device'],
    action: 'custodian:status',
    answer: custodianStatus,
    handle: (_, __, claimed) => statusOf(context, claimed),
  });
}

/** The route that streams a backup. */
export function backupRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/backup',
    summary: 'Keys, rows and objects as one archive, sealed under a passphrase.',
    who: ['device'],
    action: 'custodian:backup',
    body: backupRequest,
    handle: async ({ body }, { id }, claimed) => ({
      stream: await makeBackup(context, claimed, { passphrase: body.passphrase, device: id }),
    }),
  });
}

async function statusOf(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
): Promise<z.input<typeof custodianStatus>> {
  const { keys, store, link, version, sealKind } = context;
  const { backup, objectBytes } = await store.withOrg(claimed.org, async (tx) => {
    const organisation = await tx.selectFrom('organisation').select('last_backup_at').executeTakeFirstOrThrow();
    const objects = await tx
      .selectFrom('object')
      .select((build) => build.fn.coalesce(build.fn.sum<number>('size'), build.lit(0)).as('bytes'))
      .executeTakeFirstOrThrow();
    return { backup: organisation.last_backup_at, objectBytes: Number(objects.bytes) };
  });
  const verdict = judgeProduction(store.facts);
  return {
    org: claimed.org,
    project: claimed.project,
    custodian: keys.id,
    version,
    epoch: claimed.epoch,
    keyringSeq: claimed.keyring.head.seq,
    headAt: claimed.headAt,
    controlLink: link.state === 'up' || link.state === 'locked' || link.state === 'unclaimed' ? link.state : 'down',
    lastBackupAt: backup === null ? null : epochMs(backup),
    seal: sealKind,
    database: store.facts.kind,
    databaseUnfit: verdict.allow ? [] : [...verdict.reasons],
    disk: { ...context.disk.state(), objectBytes },
  };
}
