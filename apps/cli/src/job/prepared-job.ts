import { dirname, resolve } from 'node:path';
import { canonicalBytes, epochMs, newId, toBase64Url, type Clock, type EpochMs, type JobId } from '@ringfence/base';
import { sha256Hex, type Envelope } from '@ringfence/crypto/sign';
import { CLOCK_SKEW_MS, readStatement, signStatement, workloadDigest } from '@ringfence/keyring';
import { constraintsFor, type LabelConstraints, type PlacementLabel, type PlacementWish } from '@ringfence/policy';
import { ISOLATIONS, type Isolation } from '@ringfence/protocol';
import {
  JobFileError,
  parseJobFile,
  requireLabel,
  resolveJob,
  type JobFile,
  type ResolvedJob,
} from '@ringfence/protocol/job-file';
import type { PackReference, Workload } from '@ringfence/protocol/payload';
import type { LabelStatement, PlacementPart } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { agreedJob, type AgreedJob } from '../federation/agreed-job.ts';
import type { Session } from '../session.ts';
import { ownSpelling, type ForeignWishes } from './foreign-file.ts';
import { serviceOf } from '../endpoint/service-of.ts';
import { FIELD_PATHS } from './field-paths.ts';
import { refuseWhatIsNotYet } from './not-yet.ts';
import { officersProfile, underProfile } from './job-profile.ts';
import { namingDatasets } from './naming-datasets.ts';
import { readTextFile } from './read-text-file.ts';
import { requireSecrets } from './require-secrets.ts';

/** A job file that was read: what it says and the folder that it speaks of. */
export interface ReadJob {
  readonly file: JobFile;
  readonly workdir: string;
  /** The jobs that it starts together with. */
  readonly gang?: PlacementPart['gang'];
}

/** A job with its label and the part that placement reads. */
export interface LabelledJob extends ReadJob {
  readonly id: JobId;
  readonly job: ResolvedJob;
  readonly labelEnvelope: Envelope;
  readonly label: LabelStatement;
  readonly placement: PlacementPart;
  readonly constraints: LabelConstraints;
  /** Of a job of a federation: what its contract makes of it. */
  readonly agreed: AgreedJob | undefined;
}

const ORDER_VALID_MS = 7 * 86_400_000;
const SHORTEST_ORDER_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/** Reads a job file, also one in another platform’s spelling; throws JobFileError with all problems, CliError `bad-file`, `not-carried`, `not-yet`. */
export function readJob(path: string, wishes: ForeignWishes): ReadJob {
  const file = parseJobFile(
    ownSpelling(path, readTextFile(path, 'name a job file, or make one with `ringfence job init`'), wishes),
  );
  refuseWhatIsNotYet(file);
  return { file, workdir: resolve(dirname(path), file.workdir) };
}

/** Gets the label of a job from the custodian and compiles its placement part. Throws JobFileError where the job is looser than its label, CliError `check-failed`, `not-found`. */
export async function labelJob(context: CommandContext, session: Session, read: ReadJob): Promise<LabelledJob> {
  const { clock, rng } = context;
  const agreed = await agreedJob(session, read.file);
  const file = agreed?.file ?? read.file;
  const id = newId('job', rng);
  await requireSecrets(session, file.secrets);
  const { sensitivity } = file.privacy;
  const mounts = file.mounts.map(({ dataset }) => dataset);
  const asked = session.custodian.labelAndSites({
    job: id,
    mounts,
    ...(sensitivity === undefined ? {} : { wish: sensitivity }),
    ...(file.purpose === undefined ? {} : { purpose: file.purpose }),
    ...(file.profile === undefined ? {} : { profile: file.profile }),
    validMs: validFor(resolveJob(file)),
  });
  const {
    label: labelEnvelope,
    sites,
    profile,
  } = await asked.catch(async (refusal: unknown) => {
    throw await namingDatasets(session, mounts, refusal);
  });
  const label = readStatement('label', labelEnvelope).claimed;
  requireClock(label, clock);
  const { job, wish } =
    label.profile === undefined
      ? { job: resolveJob(file), wish: wishOf(file) }
      : underProfile(file, wishOf(file), {
          label,
          requirements: await officersProfile(context, session, { label, profile }),
        });
  const constraints = constraintsOf(file, label, wish);
  return {
    ...read,
    file,
    id,
    job,
    labelEnvelope,
    label,
    constraints,
    agreed,
    placement: placementOf(job, constraints, {
      sites: sites ?? (agreed === undefined ? undefined : [agreed.site]),
      at: clock.now(),
      gang: read.gang,
    }),
  };
}

/** Nobody starts anything on a label of the future: a job with it would wait, refused again and again, until that has come. */
function requireClock({ at }: LabelStatement, clock: Clock): void {
  if (at <= clock.now() + CLOCK_SKEW_MS) return;
  throw new CliError('check-failed', 'the custodian’s clock is ahead of this machine’s by more than two minutes', {
    next: 'set the clocks and launch again',
  });
}

/** How long an order may be started: until its deadline, a service for as long as its file says, since its replicas come and go; the next launch renews it. */
function validFor({ type, maxDurationMs, deadlineMs }: ResolvedJob): number {
  if (deadlineMs !== undefined) return deadlineMs;
  return type === 'serve' ? Math.max(maxDurationMs, SHORTEST_ORDER_MS) : ORDER_VALID_MS;
}

/**
 * An image is a root file system of its own, which only containers have; secrets that are files lie in memory that only a sandbox has, and
 * only there tokens are out of other jobs' reach: a job with one asks for no less.
 */
function isolationFor({ root, secretFiles, identity }: JobFile, wish: Isolation | undefined): Isolation | undefined {
  const sandboxed = Object.keys(secretFiles).length + Object.keys(identity).length > 0;
  const least = root.kind === 'image' ? 'container' : sandboxed ? 'sandbox' : undefined;
  if (least === undefined) return wish;
  return wish !== undefined && ISOLATIONS.indexOf(wish) >= ISOLATIONS.indexOf(least) ? wish : least;
}

/** What the file asks of the place where it runs. */
export function wishOf(file: JobFile): PlacementWish {
  const { tiers, residency, isolation, burst, logs, require, evidenceGrade, evidenceMaxAgeDays } = file.privacy;
  const asksEvidence = require !== undefined || evidenceGrade !== undefined || evidenceMaxAgeDays !== undefined;
  const evidence = {
    require: require === undefined ? undefined : [...require],
    grade: evidenceGrade,
    maxAgeDays: evidenceMaxAgeDays,
  };
  const egress = (file.privacy.egress?.length ?? 0) > 0 ? ('declared' as const) : ('none' as const);
  return {
    tiers,
    residency,
    isolation: isolationFor(file, isolation),
    egress,
    burst,
    logs,
    ...(asksEvidence ? { evidence } : {}),
  };
}

/** The label's demands and the job's own wishes together. Throws JobFileError where the job is looser. */
export function constraintsOf(file: JobFile, label: PlacementLabel, wish = wishOf(file)): LabelConstraints {
  requireLabel(file, label.sensitivity);
  const decision = constraintsFor(label, wish);
  if (decision.allow) {
    requireCardsThere(file, decision.constraints.isolation);
    return decision.constraints;
  }
  throw new JobFileError(
    decision.reasons.map(({ field, allowed }) => ({
      path: FIELD_PATHS[field],
      code: 'looser-than-label',
      message: `looser than the label ${label.sensitivity} allows: ${allowed.join(', ')}`,
    })),
  );
}

/** Wherever it were placed, its server would refuse it. */
function requireCardsThere({ resources }: JobFile, isolation: Isolation): void {
  if (resources.gpu === undefined || ISOLATIONS.indexOf(isolation) < ISOLATIONS.indexOf('container')) return;
  const message = `containers get no graphics cards yet, and this job runs at isolation ${isolation} or better by its image, its label or its own wish`;
  throw new JobFileError([{ path: 'resources.gpu', code: 'not-yet', message }]);
}

function placementOf(
  job: ResolvedJob,
  constraints: LabelConstraints,
  { sites, at, gang }: Pick<PlacementPart, 'sites' | 'gang'> & { readonly at: EpochMs },
): PlacementPart {
  const { logs: _, ...placed } = constraints;
  const { residencyDeny, customerKey } = job.privacy;
  return {
    v: 1,
    type: job.type,
    resources: job.resources,
    ...placed,
    ...(residencyDeny === undefined ? {} : { residencyDeny: [...residencyDeny] }),
    ...(customerKey === true ? { customerKey } : {}),
    ...(sites === undefined ? {} : { sites }),
    onPartition: job.onPartition,
    spot: job.spot,
    ...(job.maxPrice === undefined ? {} : { maxPrice: job.maxPrice }),
    ...(job.budget === undefined ? {} : { budget: { ...job.budget, attempts: job.maxAttempts } }),
    ...(job.deadlineMs === undefined ? {} : { deadline: epochMs(at + job.deadlineMs) }),
    ...(job.weights === undefined ? {} : { weights: { ...job.weights } }),
    priority: job.priority,
    maxDurationMs: job.maxDurationMs,
    ...(job.retry.on.length === 0 ? {} : { retryOn: [...job.retry.on] }),
    ...(goesOnFromCheckpoint(job) ? { preemptible: true } : {}),
    ...(gang === undefined ? {} : { gang }),
  };
}

/** Another job may have its room: an attempt that is interrupted is followed by one that loses little. */
function goesOnFromCheckpoint({ type, onPartition, retry }: ResolvedJob): boolean {
  const follows = retry.checkpoint !== undefined && retry.on.includes('interruption');
  return follows && type !== 'serve' && onPartition === 'stop';
}

/** What will run, ready to be sealed; the salt keeps its digest from being guessed. */
export function workloadOf({ rng }: CommandContext, labelled: LabelledJob, code: PackReference | undefined): Workload {
  const { job, placement, constraints } = labelled;
  return {
    v: 1,
    salt: toBase64Url(rng.bytes(32)),
    name: job.name,
    ...(job.run === undefined ? {} : { run: job.run }),
    ...(job.root.kind === 'image' ? { image: job.root.reference } : {}),
    ...(job.root.kind === 'python' ? { python: job.root.version } : {}),
    ...(job.setup === undefined ? {} : { setup: job.setup }),
    ...(code === undefined ? {} : { code }),
    env: { ...job.env },
    secrets: [...job.secrets],
    ...(Object.keys(job.secretFiles).length === 0 ? {} : { secretFiles: job.secretFiles }),
    mounts: job.mounts.map(({ path, dataset }) => ({ path, dataset })),
    outputs: job.outputs.map(({ path, artifact }) => ({ path, artifact })),
    resources: placement.resources,
    isolation: placement.isolation,
    maxDurationMs: placement.maxDurationMs,
    stopGraceMs: STOP_GRACE_MS,
    logs: constraints.logs,
    ...(placement.egress === 'none' ? {} : { egress: [...(job.privacy.egress ?? [])] }),
    ...(job.notify.length === 0 ? {} : { notify: [...job.notify] }),
    ...(job.retry.checkpoint === undefined ? {} : { checkpoint: job.retry.checkpoint }),
    ...(job.purpose === undefined ? {} : { purpose: job.purpose }),
    ...(Object.keys(job.identity).length === 0 ? {} : { identity: job.identity }),
    ...(job.service === undefined ? {} : { service: serviceOf(job.service) }),
    ...(labelled.agreed === undefined ? {} : { federation: labelled.agreed.federation }),
  };
}

/** The first of the three signatures: this device orders this workload, under this label and these constraints. */
export function signJob(
  { clock }: CommandContext,
  { profile, keys }: Session,
  labelled: LabelledJob,
  workload: Workload,
): Envelope {
  const at = clock.now();
  return signStatement(
    'job',
    {
      v: 1,
      org: profile.org,
      project: profile.project,
      job: labelled.id,
      device: profile.device,
      type: labelled.job.type,
      at,
      expires: epochMs(Math.min(labelled.label.notAfter, at + validFor(labelled.job))),
      maxAttempts: labelled.job.maxAttempts,
      replicas: 1,
      constraintDigest: sha256Hex(canonicalBytes(labelled.placement)),
      payloadDigest: workloadDigest(workload),
      labelDigest: readStatement('label', labelled.labelEnvelope).digest,
    },
    [keys.sign],
  );
}
