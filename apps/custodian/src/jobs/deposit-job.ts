import type { DeviceId } from '@ringfence/base';
import { sha256Hex, type Envelope } from '@ringfence/crypto/sign';
import { canonicalBytes } from '@ringfence/base';
import { KeyringError, placementDigest, readStatement, verifyStatement, type Verified } from '@ringfence/keyring';
import { checkPlacement, checkWorkload } from '@ringfence/policy';
import type { jobDeposit, Workload } from '@ringfence/protocol/payload';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { takeVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { codeOfWorkload } from '../federation/code-of-workload.ts';
import { depositFederation } from '../federation/deposit-federation.ts';
import { labelHolds } from '../labels/label-holds.ts';
import { mountedData } from '../labels/sign-label.ts';
import { mayMountAll } from '../privacy-ledger/contract-only.ts';
import { judgeByPolicy } from '../rules/organisation-policy.ts';
import { judgeProfile } from '../rules/profiles.ts';
import type { Tx } from '../store/open-store.ts';
import { JOB_NAME } from '../store/sealed-columns.ts';
import { openWorkload } from './open-workload.ts';

type Deposit = z.output<typeof jobDeposit>;

/** A deposit whose statements and workload fit each other. */
interface CheckedDeposit {
  readonly job: Verified<'job'>;
  readonly label: Verified<'label'>;
  readonly placement: PlacementPart;
  readonly workload: Workload;
  readonly sealed: Uint8Array;
}

/**
 * Takes a job's sealed workload before the control plane hears of the job, and names its outputs. The same deposit again changes nothing.
 * Throws CustodianError `bad-statement`, `conflict`, `not-found`.
 */
export async function depositJob(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  deposit: Deposit,
  device: DeviceId,
): Promise<Verified<'job'>> {
  const checked = await checkDeposit(context, claimed, deposit, device);
  const { job, label, workload } = checked;
  const code = workload.federation === undefined ? undefined : await codeOfWorkload(context, claimed, workload);
  await context.store.withOrg(claimed.org, async (tx) => {
    const known = await tx.selectFrom('job').select('job_digest').where('job', '=', job.body.job).executeTakeFirst();
    if (known?.job_digest === job.digest) return;
    if (known !== undefined)
      throw new CustodianError('conflict', 'this job id stands for another statement', {
        next: 'launch again: each launch has an id of its own',
      });
    const data = await mountedData(
      context,
      tx,
      claimed,
      workload.mounts.map(({ dataset }) => dataset),
    );
    if (!(await mayMountAll(tx, data, job.body.type))) throw forFederations();
    if (!labelHolds(label.body, workload.purpose, data)) throw bad('the label is not the one of the data it mounts');
    await requireRules(context, tx, claimed, checked);
    await insertJob(context, tx, claimed, checked);
    const { type } = job.body;
    await depositFederation(context, tx, claimed, { job: job.body.job, type, workload, data, code });
    await nameOutputs(context, tx, claimed, checked);
    await context.record(tx, claimed.org, {
      type: 'job-deposited',
      job: job.body.job,
      device,
      jobDigest: job.digest,
      labelDigest: label.digest,
    });
    context.fault('deposit-before-commit');
  });
  context.fault('deposit-after-commit');
  return job;
}

/**
 * The newest version of a profile counts at the launch: one that came between label and deposit has to be gone by, too. What the policy
 * forbids wherever it would run is refused before the control plane hears of it.
 */
async function requireRules(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  checked: CheckedDeposit,
): Promise<void> {
  const verdict = await judgeProfile(context, tx, { ...checked, label: checked.label.body });
  if (!verdict.newest) throw bad('the profile was changed meanwhile');
  if (!verdict.allow) throw bad(`the job asks for less than its profile demands: ${verdict.looser.join(', ')}`);
  const { job, label, placement, workload } = checked;
  const question = { job: job.body, label: label.body, placement, workload, profile: verdict.profile };
  const policy = await judgeByPolicy(context, tx, claimed, question);
  if (policy.allow) return;
  throw new CustodianError(
    'not-authorised',
    `the organisation’s policy forbids this job: ${policy.forbidden.join(', ')}`,
    {
      next: '`ringfence policy show` says why; ask an officer',
    },
  );
}

async function checkDeposit(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  deposit: Deposit,
  device: DeviceId,
): Promise<CheckedDeposit> {
  const { keyring } = claimed;
  const now = context.clock.now();
  const deviceKey = keyring.deviceKey(device);
  const job = verified('job', deposit.job, deviceKey === undefined ? [] : [deviceKey]);
  const label = verified('label', deposit.label, keyring.delegatedKeys('label', now, context.keys.id));
  const sealed = Buffer.from(deposit.workload, 'base64');
  const workload = await openWorkload(context, claimed.org, job.body.job, sealed);
  const { placement } = deposit;
  const faults: readonly (readonly [string, boolean])[] = [
    ['the job names another organisation, project or device', sameOwner(job.body, claimed, device)],
    ['the label belongs to another job', label.body.org === claimed.org && label.body.job === job.body.job],
    ['the job names another label', job.body.labelDigest === label.digest],
    ['the job names another placement part', job.body.constraintDigest === placementDigest(placement)],
    ['job and placement part differ in type', job.body.type === placement.type],
    ['job or label has expired', now < job.body.expires && now < label.body.notAfter],
    ['the placement part asks for less than the label demands', checkPlacement(placement, label.body).allow],
    ['the workload is not the one that the job names', workload !== undefined && digestFits(workload, job)],
    [
      'the workload disagrees with the placement part',
      workload !== undefined && checkWorkload(workload, placement, label.body).allow,
    ],
  ];
  const wrong = faults.flatMap(([fault, good]) => (good ? [] : [fault]));
  if (wrong.length > 0 || workload === undefined) throw bad(wrong.join('; '));
  return { job, label, placement, workload, sealed };
}

function digestFits(workload: Workload, job: Verified<'job'>): boolean {
  return sha256Hex(canonicalBytes(workload)) === job.body.payloadDigest;
}

function sameOwner(body: Verified<'job'>['body'], { org, project }: ClaimedOrganisation, device: DeviceId): boolean {
  return body.org === org && body.project === project && body.device === device;
}

function verified<Name extends 'job' | 'label'>(
  name: Name,
  envelope: Envelope,
  keys: Parameters<typeof verifyStatement>[1],
): Verified<Name> {
  try {
    return verifyStatement(readStatement(name, envelope), keys);
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw bad(`the ${name} statement does not verify`, cause);
  }
}

async function insertJob(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { job, label, placement, workload, sealed }: CheckedDeposit,
): Promise<void> {
  await tx
    .insertInto('job')
    .values({
      job: job.body.job,
      org,
      device: job.body.device,
      name_box: context.columns.seal(JOB_NAME, job.body.job, workload.name),
      at: context.clock.now(),
      job_digest: job.digest,
      job_envelope: JSON.stringify(job.envelope),
      label_envelope: JSON.stringify(label.envelope),
      placement: JSON.stringify(placement),
      workload: sealed,
      agent: null,
      closed: null,
      commit_record: null,
    })
    .execute();
}

/** Each output of a job is one version of one artifact, whichever attempt makes it. */
async function nameOutputs(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, workload }: CheckedDeposit,
): Promise<void> {
  for (const [position, { artifact: name }] of workload.outputs.entries()) {
    const { artifact, version } = await takeVersion(context, tx, claimed, { name, kind: 'output' });
    await tx
      .insertInto('job_output')
      .values({ job: job.body.job, position, org: claimed.org, artifact, version })
      .execute();
  }
}

function forFederations(): CustodianError {
  return new CustodianError('not-authorised', 'a dataset that the job mounts is for federations alone', {
    next: 'see `ringfence dp status`; its owner may change it: `ringfence dataset contract-only NAME --off`',
  });
}

function bad(message: string, cause?: unknown): CustodianError {
  return new CustodianError('bad-statement', message, { cause, next: 'launch again with a current client' });
}
