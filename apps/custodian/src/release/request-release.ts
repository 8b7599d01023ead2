import { newId, type DeviceId } from '@ringfence/base';
import { labelOf } from '@ringfence/policy';
import { isGated } from '@ringfence/policy/release';
import type { ReleaseRow, releaseRequest } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { z } from 'zod';
import { findVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { isLogExpired } from '../jobs/attempt-log.ts';
import type { Tx } from '../store/open-store.ts';
import { RELEASE_REQUEST } from '../store/sealed-columns.ts';
import { sensitivityOf } from './job-label.ts';
import { readRequest } from './release-rows.ts';

type Wanted = z.output<typeof releaseRequest>['of'][number];
type Wish = { readonly wanted: Wanted; readonly purpose: string };

/**
 * Asks the owners of the data for these objects, by the digests that they have now. Throws CustodianError `not-found`, `conflict` where no
 * release is needed, `not-authorised` for a purpose that the data's owners have ruled out.
 */
export async function requestRelease(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { of, purpose, recipients, validMs }: z.output<typeof releaseRequest>,
  device: DeviceId,
): Promise<ReleaseRow> {
  const { org } = claimed;
  return context.store.withOrg(org, async (tx) => {
    const objects = [];
    for (const wanted of of) objects.push(await objectOf(context, tx, claimed, { wanted, purpose }));
    const request = newId('release', context.rng);
    const asked = { objects, purpose, recipients, validMs };
    const row = {
      org,
      request,
      device,
      at: context.clock.now(),
      request_box: context.columns.seal(RELEASE_REQUEST, request, asked),
    };
    await tx.insertInto('release_request').values(row).execute();
    const digests = objects.map(({ digest }) => digest);
    const shown = await readRequest(context, tx, claimed, request);
    await context.record(tx, org, { type: 'release-requested', request, device, digests });
    return shown;
  });
}

async function objectOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { wanted, purpose }: Wish,
): Promise<ReleaseRow['objects'][number]> {
  return 'artifact' in wanted
    ? versionObject(context, tx, claimed, { wanted, purpose })
    : logObject(context, tx, wanted);
}

async function versionObject(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { wanted, purpose }: Wish & { readonly wanted: Extract<Wanted, { artifact: string }> },
): Promise<ReleaseRow['objects'][number]> {
  const found = await findVersion(context, tx, claimed, { name: wanted.artifact, version: wanted.version });
  if (found?.pack === undefined)
    throw new CustodianError('not-found', 'there is no such version here', { next: 'see `ringfence artifact ls`' });
  const { artifact, name, version, sensitivity, job, files, bytes, pack } = found;
  if (!isGated(sensitivity)) throw needsNone();
  const { purposes } = labelOf(found);
  if (purposes !== 'any' && !purposes.includes(purpose))
    throw new CustodianError('not-authorised', 'the owners of the data do not allow this purpose', {
      next: 'see the purposes in `ringfence artifact ls`',
    });
  return { digest: pack.manifest, of: { artifact, name, version }, sensitivity, job, files, bytes };
}

async function logObject(
  context: CustodianContext,
  tx: Tx,
  { logs, attempt }: Extract<Wanted, { logs: string }>,
): Promise<ReleaseRow['objects'][number]> {
  const row = await tx
    .selectFrom('attempt_log')
    .select(['attempt', 'manifest', 'bytes'])
    .where('job', '=', logs)
    .where(sql<boolean>`not ${isLogExpired(context)}`)
    .$if(attempt !== undefined, (query) => query.where('attempt', '=', attempt ?? 0))
    .orderBy('attempt', 'desc')
    .executeTakeFirst();
  if (row === undefined)
    throw new CustodianError('not-found', 'the log of this attempt was not sealed to the custodian', {
      next: 'logs that stay at the agent open by a rule: `ringfence release rule add`',
    });
  const sensitivity = await sensitivityOf(tx, logs);
  if (!isGated(sensitivity)) throw needsNone();
  return {
    digest: row.manifest,
    of: { logs, attempt: row.attempt },
    sensitivity,
    job: logs,
    files: 1,
    bytes: row.bytes,
  };
}

function needsNone(): CustodianError {
  return new CustodianError('conflict', 'this needs no release: it is made of public or internal data', {
    next: 'open it with `ringfence artifact get`, `logs` or `metrics`',
  });
}
