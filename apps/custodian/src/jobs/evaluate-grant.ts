import type { AgentId, DeviceId, JobId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { checkLease, checkPayload, grantRefusalOf, type Admission, type EvidenceFile } from '@ringfence/keyring';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { GrantRefusal, grantRequest, Workload } from '@ringfence/protocol/payload';
import type { Selectable } from 'kysely';
import type { z } from 'zod';
import { findVersion, holdVersions, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { watchedDevice } from '../locks/watched-parties.ts';
import { isOver } from '../endpoints/is-over.ts';
import { judgeFederation } from '../federation/judge-federation.ts';
import { evidenceFile } from '../evidence/evidence-rows.ts';
import { labelHolds } from '../labels/label-holds.ts';
import { sitesOf } from '../labels/sign-label.ts';
import { mayMountAll } from '../privacy-ledger/contract-only.ts';
import { judgeByPolicy } from '../rules/organisation-policy.ts';
import { judgeProfile } from '../rules/profiles.ts';
import { readSecrets, type NamedSecret } from '../secrets/secret-rows.ts';
import { isShredded } from '../shredding/shred-rows.ts';
import type { Tx } from '../store/open-store.ts';
import type { JobTable } from '../store/tables.ts';
import { openWorkload } from './open-workload.ts';
import type { WantedData } from './record-mounts.ts';
import { mayFollow } from './retry-wish.ts';

/** What an agent asks. */
export type GrantRequest = z.output<typeof grantRequest>;

/** A start that may be granted, or why not. */
export type Evaluation =
  | {
      readonly allow: true;
      readonly admission: Admission;
      readonly workload: Workload;
      readonly data: readonly FoundVersion[];
      readonly secrets: readonly NamedSecret[];
      /** Of a job of a federation. */
      readonly contract: ContractFile | undefined;
      /** The profile that the label names. */
      readonly profile: Envelope | undefined;
      /** The organisation policy that forbade nothing, if there is one. */
      readonly policy: Digest | undefined;
    }
  | {
      readonly allow: false;
      readonly reason: GrantRefusal;
      /** Checks that failed, requirements of the profile, or policies that forbid. */
      readonly checks: readonly string[];
      /** Secrets that are not there, or not for this device's jobs. */
      readonly missing?: readonly string[];
      /** Data whose label it was refused by. */
      readonly wanted?: WantedData;
    };

/** The columns of a job that its grants depend on. */
export type GrantJob = Pick<
  Selectable<JobTable>,
  'job' | 'job_digest' | 'workload' | 'attempt' | 'commit_record' | 'closed'
>;

/**
 * The custodian's own evaluation of a start: it trusts nothing that the control plane decided (invariants 4, 5). `job` is locked by `tx`.
 */
export async function evaluateGrant(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { request, agent, job }: { request: GrantRequest; agent: AgentId; job: GrantJob },
): Promise<Evaluation> {
  const { clock } = context;
  const decision = checkLease(request, {
    keyring: claimed.keyring,
    head: claimed.head,
    controlPlane: claimed.controlPlane,
    controlPlaneKeys: request.controlPlaneKeys,
    agent,
    highestAttempt: job.attempt,
    now: clock.now(),
    evidence: await evidenceOf(tx, claimed, { request, agent }),
  });
  if (!decision.allow) {
    const refusal = refuse(grantRefusalOf(decision.reasons) ?? 'bad-statements', decision.reasons);
    // All statements hold, and the machine stands where the data may not be.
    const byPlace = decision.reasons.every((reason) => reason === 'agent-residency');
    const wanted = byPlace ? await wantedBy(context, tx, claimed, job) : undefined;
    return wanted === undefined ? refusal : { ...refusal, wanted };
  }
  const { admission } = decision;
  if (admission.job.digest !== job.job_digest) return refuse('bad-statements');
  if (!mayStart(context, claimed, admission.job.body)) return refuse('device-removed');
  const author = watchedDevice(context, claimed, admission.job.body.device);
  if (!context.locks.check('starts', [author], clock.now()).allow) return refuse('locked');
  if (job.commit_record !== null) return refuse('committed');
  const { attempt } = admission.lease.body;
  if (context.endedUngranted.has({ job: job.job, attempt, agent })) return refuse('attempt-not-new');
  if (await isShredded(tx, job.job, attempt)) return refuse('attempt-not-new');
  const earlier = await earlierAttempts(tx, job);
  if (earlier.some((attempt) => context.leaseEnds.mayRun(attempt))) return refuse('attempt-may-run');
  if (!mayFollow(earlier.at(-1), admission.placement)) return refuse('closed');
  if (await isOver(tx, job.job)) return refuse('closed');
  const workload = await openWorkload(context, claimed.org, job.job, job.workload);
  if (workload === undefined) return refuse('bad-statements', ['payload-digest']);
  const payload = checkPayload(workload, admission);
  if (!payload.allow) return refuse(grantRefusalOf(payload.reasons) ?? 'placement', payload.reasons);
  const { label, placement } = admission;
  const profiled = await judgeProfile(context, tx, { label: label.body, placement, workload });
  if (!profiled.allow) return { allow: false, reason: 'profile', checks: profiled.looser };
  const { profile } = profiled;
  const question = { job: admission.job.body, label: label.body, placement, workload, profile, at: admission };
  const ruled = await judgeByPolicy(context, tx, claimed, question);
  if (!ruled.allow) return { allow: false, reason: 'policy', checks: ruled.forbidden };
  const data = await dataOf(context, tx, claimed, workload);
  if (data === undefined) return refuse('dataset-gone');
  if (!(await mayMountAll(tx, data, admission.job.body.type))) return refuse('contract-only');
  // The placer was told the site too; whether it kept to it is asked here again.
  const wanted = { data, purpose: workload.purpose };
  if (sitesOf(data).some((site) => site !== admission.agent.site)) return { ...refuse('wrong-site'), wanted };
  if (!labelHolds(admission.label.body, workload.purpose, data)) return { ...refuse('label-changed'), wanted };
  const { type } = admission.job.body;
  const federated = await judgeFederation(context, tx, claimed, { job: job.job, type, workload, data, agent });
  if (!federated.allow) return refuse('federation', federated.reasons);
  const { contract } = federated;
  return withSecrets(context, tx, claimed, { admission, workload, data, contract, profile, policy: ruled.policy });
}

/** The last that a start needs: all of its secrets. */
async function withSecrets(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  start: Omit<Extract<Evaluation, { allow: true }>, 'allow' | 'secrets'>,
): Promise<Evaluation> {
  const names = start.workload.secrets;
  const secrets = await secretsOf(context, tx, claimed, { admission: start.admission, names });
  const missing = names.filter((name) => !secrets.some((secret) => secret.name === name));
  if (missing.length > 0) return { allow: false, reason: 'secret-missing', checks: [], missing };
  return { allow: true, ...start, secrets };
}

/** All that is kept, where a start may need some; work at home that asks for none needs no look. */
async function evidenceOf(
  tx: Tx,
  { keyring }: ClaimedOrganisation,
  { request, agent }: { request: GrantRequest; agent: AgentId },
): Promise<EvidenceFile | undefined> {
  const atHome = keyring.agent(agent)?.tier === 'private';
  return atHome && request.placement.evidence === undefined ? undefined : evidenceFile(tx);
}

/** Whether the job's device is still bound to a role that may start it: asked afresh before each grant and each token. */
export function mayStart(
  { authoriser }: Pick<CustodianContext, 'authoriser'>,
  { keyring, org, project }: Pick<ClaimedOrganisation, 'keyring' | 'org' | 'project'>,
  { job, device }: { readonly job: JobId; readonly device: DeviceId },
): boolean {
  const roles = keyring.rolesOf(device);
  return authoriser.authorise({
    principal: { type: 'Device', id: device, org, roles },
    action: 'job:start',
    resource: { type: 'Job', id: job, org, project },
  }).allow;
}

/** The values as they are now, of those that the job's device may use. */
async function secretsOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { admission, names }: { admission: Admission; names: readonly string[] },
) {
  const { device } = admission.job.body;
  const { keyring, org, project } = claimed;
  const principal = { type: 'Device', id: device, org, roles: keyring.rolesOf(device) } as const;
  const allowed = names.filter(
    (id) =>
      context.authoriser.authorise({
        principal,
        action: 'secret:use',
        resource: { type: 'Secret', id, org, project },
      }).allow,
  );
  return readSecrets(context, tx, claimed, allowed);
}

async function earlierAttempts(tx: Tx, { job }: GrantJob) {
  return tx
    .selectFrom('attempt')
    .select(['job', 'attempt', 'granted_at', 'stopped', 'ends_by'])
    .where('job', '=', job)
    .orderBy('attempt')
    .execute();
}

async function dataOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { mounts }: Workload,
): Promise<FoundVersion[] | undefined> {
  const found: FoundVersion[] = [];
  for (const { dataset } of mounts) {
    const version = await findVersion(context, tx, claimed, { name: dataset });
    if (version === undefined) return undefined;
    found.push(version);
  }
  return (await holdVersions(tx, found)) ? found : undefined;
}

/** What a job mounts now. */
async function wantedBy(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  job: GrantJob,
): Promise<WantedData | undefined> {
  if (job.workload === null) return undefined;
  const workload = await openWorkload(context, claimed.org, job.job, job.workload);
  const data = workload === undefined ? undefined : await dataOf(context, tx, claimed, workload);
  return data === undefined ? undefined : { data, purpose: workload?.purpose };
}

function refuse(reason: GrantRefusal, checks: readonly string[] = []): Extract<Evaluation, { allow: false }> {
  return { allow: false, reason, checks };
}
