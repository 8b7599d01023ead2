import type { ArtifactId, JobId } from '@ringfence/base';
import { isGated, type Source } from '@ringfence/policy/release';
import { versionRow } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { ARTIFACT_DETAILS } from '../store/sealed-columns.ts';
import { ownersOfDataset } from './dataset-owners.ts';
import { launchLabelOf, sensitivityOf } from './job-label.ts';

/** A version of a dataset that a job was given. */
export interface GivenData {
  /** The job that was given it. */
  readonly job: JobId;
  readonly artifact: ArtifactId;
  readonly version: number;
}

/** Everything that went into what a job makes: each dataset, and each job whose label was gated by nothing but its own wish at its launch. */
interface Origin {
  readonly data: readonly GivenData[];
  readonly wishful: readonly JobId[];
}

/** A chain of more jobs than this is not followed to its end, and opens nothing. */
const MOST_JOBS = 10_000;

/**
 * The sources of what `job` makes: every gated dataset that it was ever given, directly or in results of earlier jobs; and
 * whoever ordered a job that was gated by its own wish. A label that comes later adds owners and takes nobody's place. Never empty.
 */
export async function sourcesOfJob(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  job: JobId,
): Promise<readonly Source[]> {
  const { data, wishful } = await originOf(context, tx, job);
  const sources = new Map<string, Source>();
  for (const { artifact } of data)
    if (!sources.has(artifact))
      sources.set(artifact, { id: artifact, owners: await ownersOfDataset(context, tx, claimed, artifact) });
  const wishes = sources.size === 0 && wishful.length === 0 ? [job] : wishful;
  for (const id of wishes) sources.set(id, { id, owners: await orderedBy(tx, claimed, id) });
  return [...sources.values()];
}

/** The source that a dataset itself is. */
export async function sourceOfDataset(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  artifact: ArtifactId,
): Promise<Source> {
  return { id: artifact, owners: await ownersOfDataset(context, tx, claimed, artifact) };
}

/** Every version of a dataset that went into what `job` makes. */
export async function givenData(context: CustodianContext, tx: Tx, job: JobId): Promise<readonly GivenData[]> {
  return (await originOf(context, tx, job, () => true)).data;
}

async function orderedBy(tx: Tx, { keyring }: ClaimedOrganisation, job: JobId): Promise<Source['owners']> {
  const row = await tx.selectFrom('job').select('device').where('job', '=', job).executeTakeFirst();
  return row === undefined || keyring.device(row.device) === undefined ? [] : [row.device];
}

type Counts = (tx: Tx, given: GivenData) => Promise<boolean> | boolean;

async function originOf(
  context: CustodianContext,
  tx: Tx,
  first: JobId,
  counts: Counts = (within, given) => isSensitive(context, within, given),
): Promise<Origin> {
  const data: GivenData[] = [];
  const wishful: JobId[] = [];
  const seen = new Set<JobId>([first]);
  // A set gives what is added while it is walked, too.
  for (const job of seen) {
    if (seen.size > MOST_JOBS) throw new Error('a chain of jobs is too long to be followed');
    const label = await launchLabelOf(tx, job);
    let isByData = false;
    for (const given of await mountsOf(tx, job)) {
      const maker = await makerOf(tx, given);
      if (maker !== undefined) {
        seen.add(maker);
        isByData ||= isGated(await sensitivityOf(tx, maker));
      } else {
        isByData ||= await wasGatedAt(context, tx, given, label.at);
        if (await counts(tx, given)) data.push(given);
      }
    }
    if (!isByData && isGated(label.sensitivity)) wishful.push(job);
  }
  return { data, wishful };
}

/** What any attempt of a job was given, each once: a later one goes on from the checkpoint of those before. */
async function mountsOf(tx: Tx, job: JobId): Promise<readonly GivenData[]> {
  const rows = await tx.selectFrom('attempt').select('mounts').where('job', '=', job).execute();
  const given = rows.flatMap(({ mounts }) => mounts.map((mount) => ({ job, ...mount })));
  return [...new Map(given.map((each) => [versionRow(each.artifact, each.version), each])).values()];
}

/** The job whose output this is; its allotment outlives the version. */
async function makerOf(tx: Tx, { artifact, version }: GivenData): Promise<JobId | undefined> {
  const row = await tx
    .selectFrom('job_output')
    .select('job')
    .where('artifact', '=', artifact)
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.job;
}

/** Whether the newest version of then was gated; not when it is gone: whoever ordered a job is not pushed out by deleting what it mounts. */
async function wasGatedAt(
  { columns }: CustodianContext,
  tx: Tx,
  { artifact }: Pick<GivenData, 'artifact'>,
  at: number,
): Promise<boolean> {
  const row = await tx
    .selectFrom('artifact_version')
    .select(['version', 'details_box'])
    .where('artifact', '=', artifact)
    .where('at', '<=', at)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return (
    row !== undefined &&
    isGated(columns.open(ARTIFACT_DETAILS, versionRow(artifact, row.version), row.details_box).sensitivity)
  );
}

/** By the version that was given or the newest one; a version that is gone counts (invariant 4). */
async function isSensitive(
  { columns }: CustodianContext,
  tx: Tx,
  { artifact, version }: Pick<GivenData, 'artifact' | 'version'>,
): Promise<boolean> {
  const rows = await tx
    .selectFrom('artifact_version')
    .select(['version', 'details_box'])
    .where('artifact', '=', artifact)
    .orderBy('version', 'desc')
    .execute();
  const [newest] = rows;
  const given = rows.find((row) => row.version === version);
  if (newest === undefined || given === undefined) return true;
  return [given, newest].some((row) =>
    isGated(columns.open(ARTIFACT_DETAILS, versionRow(artifact, row.version), row.details_box).sensitivity),
  );
}
