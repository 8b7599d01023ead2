import { canonicalBytes, type ArtifactId, type DeviceId } from '@ringfence/base';
import { sha256Hex, statementDigest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { ErasureAnswer, erasureRequest } from '@ringfence/protocol/payload';
import type { ErasedVersion, ErasureStatement } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { artifactNamed, listAllVersions, versionRow, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { keptLogs } from '../jobs/attempt-log.ts';
import { liveUse } from '../pruning/live-jobs.ts';
import { sweepFiles } from '../pruning/sweep-files.ts';
import { requireDatasetOwner } from '../release/dataset-owners.ts';
import type { KeptErasure } from '../store/data-tables.ts';
import type { Tx } from '../store/open-store.ts';
import { ARTIFACT_NAME, RELEASE_REQUEST } from '../store/sealed-columns.ts';
import { derivedFrom } from './derived.ts';
import { destroyGrants } from './destroy-grants.ts';
import { removeData, type DataToRemove, type RemovedObjects } from './remove-data.ts';

type Wish = z.output<typeof erasureRequest>;

/** What an erasure removes, and what was made of it and stays. */
interface Plan {
  readonly goes: DataToRemove;
  readonly stays: DataToRemove;
}

/**
 * Erases all versions of an artifact and, when asked, what jobs made of it: keys, grants that carry them, names, objects, files. Rows, ledger
 * entry and signed report are one transaction. Throws CustodianError `not-found`, `not-authorised` for a dataset of another owner, `conflict`
 * while a job that is not over uses any of it.
 */
export async function erase(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  wish: Wish,
  device: DeviceId,
): Promise<ErasureAnswer> {
  const answer = await context.store.withOrg(claimed.org, async (tx) => {
    const plan = await planOf(context, tx, claimed, { ...wish, device });
    const said = { goes: inWords(plan.goes), stays: inWords(plan.stays) };
    if (wish.dryRun) return said;
    const done = await carryOut(context, tx, claimed, { plan, device });
    context.fault('erase-before-commit');
    return { ...said, done };
  });
  if (wish.dryRun) return answer;
  context.fault('erase-after-commit');
  await sweepFiles(context, claimed);
  return answer;
}

async function planOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { device, ...wish }: Wish & { device: DeviceId },
): Promise<Plan> {
  const artifact = await artifactNamed(context, tx, wish.name);
  const all = await listAllVersions(context, tx, claimed);
  const own = all.filter((version) => version.artifact === artifact);
  if (artifact === undefined || own.length === 0)
    throw new CustodianError('not-found', 'there is no dataset or output of this name', {
      next: 'see `ringfence dataset ls` and `ringfence artifact ls`; names are case-sensitive',
    });
  await requireDatasetOwner(context, tx, claimed, { artifact, device });
  const derived = await derivedFrom(tx, own, all);
  const logs = (await keptLogs(context, tx, claimed)).filter(({ job }) => derived.jobs.has(job));
  const made = { versions: derived.versions, logs };
  const goes = wish.derived ? { versions: [...own, ...made.versions], logs } : { versions: own, logs: [] };
  await refuseWhileUsed(context, tx, claimed, goes.versions);
  return { goes, stays: wish.derived ? { versions: [], logs: [] } : made };
}

async function refuseWhileUsed(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  versions: readonly FoundVersion[],
): Promise<void> {
  const { mountedNames, mountedVersions } = await liveUse(context, tx, claimed);
  const used = versions.find(
    ({ name, artifact, version }) => mountedNames.has(name) || mountedVersions.has(versionRow(artifact, version)),
  );
  if (used !== undefined)
    throw new CustodianError('conflict', 'a job that is not over mounts what would be erased', {
      next: 'see `ringfence ps`, stop it with `ringfence stop JOB`, and erase again',
    });
}

async function carryOut(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { plan, device }: { plan: Plan; device: DeviceId },
): Promise<KeptErasure> {
  const removed = await removeData(context, tx, claimed, plan.goes);
  // A grant that was faster held the rows until it was committed: then all of this is undone.
  await refuseWhileUsed(context, tx, claimed, plan.goes.versions);
  const grants = await destroyGrants(tx, plan.goes.versions);
  await forgetNames(context, tx, new Set(plan.goes.versions.map(({ artifact }) => artifact)));
  const kept = reportOf(context, claimed, { plan, device, removed, grants });
  const digest = statementDigest(kept.report);
  const at = context.clock.now();
  await tx
    .insertInto('erasure')
    .values({ org: claimed.org, digest, at, report: JSON.stringify(kept) })
    .execute();
  await context.record(tx, claimed.org, { type: 'erased', erasure: digest, device });
  return kept;
}

/** What stands where the name was. */
const ERASED = 'erased';

/** The rows stay, since jobs point to them; their names go, and are free again. */
async function forgetNames(context: CustodianContext, tx: Tx, artifacts: ReadonlySet<ArtifactId>): Promise<void> {
  const forgotten = new Set<ArtifactId>();
  for (const artifact of artifacts) {
    const left = await tx
      .selectFrom('artifact_version')
      .select('version')
      .where('artifact', '=', artifact)
      .limit(1)
      .executeTakeFirst();
    if (left !== undefined) continue;
    const name_box = context.columns.seal(ARTIFACT_NAME, artifact, ERASED);
    await tx.updateTable('artifact').set({ name_index: artifact, name_box }).where('artifact', '=', artifact).execute();
    await tx.deleteFrom('retention').where('artifact', '=', artifact).execute();
    forgotten.add(artifact);
  }
  await forgetNamesInRequests(context, tx, forgotten);
}

async function forgetNamesInRequests(
  { columns }: CustodianContext,
  tx: Tx,
  artifacts: ReadonlySet<ArtifactId>,
): Promise<void> {
  if (artifacts.size === 0) return;
  const rows = await tx.selectFrom('release_request').select(['request', 'request_box']).execute();
  for (const { request, request_box } of rows) {
    const asked = columns.open(RELEASE_REQUEST, request, request_box);
    const named = asked.objects.some(({ of }) => 'artifact' in of && artifacts.has(of.artifact));
    if (!named) continue;
    const objects = asked.objects.map(({ of, ...object }) => ({
      ...object,
      of: 'artifact' in of && artifacts.has(of.artifact) ? { ...of, name: ERASED } : of,
    }));
    const sealed = columns.seal(RELEASE_REQUEST, request, { ...asked, objects });
    await tx.updateTable('release_request').set({ request_box: sealed }).where('request', '=', request).execute();
  }
}

function reportOf(
  { keys, clock }: CustodianContext,
  { org }: ClaimedOrganisation,
  {
    plan: { goes, stays },
    device,
    removed,
    grants,
  }: { plan: Plan; device: DeviceId; removed: RemovedObjects; grants: number },
): KeptErasure {
  const [versions, derived] = [goes.versions.map(byIds), stays.versions.map(byIds)];
  const body: ErasureStatement = {
    v: 1,
    org,
    custodian: keys.id,
    device,
    at: clock.now(),
    versions: listed(versions),
    ...removed,
    logs: goes.logs.length,
    grants,
    derived: listed(derived),
    derivedLogs: stays.logs.length,
    inPlace: goes.versions.filter(({ place }) => place !== undefined).length,
  };
  return { report: signStatement('erasure', body, [keys.enrolment]), versions, derived };
}

function byIds({ artifact, version, pack, place }: FoundVersion): ErasedVersion {
  return { artifact, version, manifest: (pack ?? place).manifest };
}

function listed(list: ErasedVersion[]): ErasureStatement['versions'] {
  return { count: list.length, digest: sha256Hex(canonicalBytes(list)) };
}

function inWords({ versions, logs }: DataToRemove): ErasureAnswer['goes'] {
  return { versions: versions.map(({ name, version }) => ({ name, version })), logs: logs.length };
}
