import type { DeviceId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { KeyringError, openPolicy, readStatement, type Admission, type Verified } from '@ringfence/keyring';
import {
  compileJobPolicy,
  jobPolicyFaults,
  NOT_EVALUATED,
  type JobPlace,
  type JobPolicy,
} from '@ringfence/policy/authorise';
import { ownRoleFaults } from '@ringfence/policy/roles';
import type { policyQuestion, Workload } from '@ringfence/protocol/payload';
import type { JobStatement, LabelStatement, PlacementPart } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { keepRule, newestRule, ruleOf, type RuleName } from './rule-rows.ts';

const POLICY: RuleName = { kind: 'policy', name_index: '' };

/** Why a text is no policy, each fault on a line; as long as an answer may be. */
const LONGEST_FAULTS = 2_000;

/** Keeps what officers signed as the organisation's policy. Throws CustodianError `bad-statement`, `conflict`. */
export async function setPolicy(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  envelope: Envelope,
  device: DeviceId,
): Promise<void> {
  await context.store.withOrg(claimed.org, (tx) => keepPolicy(context, tx, claimed, { envelope, device }));
  await useAccess(context, claimed);
}

/** Takes up the own roles of the policy that counts: after each that is kept, and when the custodian becomes active. */
export async function useAccess(context: CustodianContext, claimed: ClaimedOrganisation): Promise<void> {
  const envelope = await context.store.withOrg(claimed.org, (tx) => currentPolicy(context, tx), { readOnly: true });
  const access = envelope === null ? '' : (readStatement('policy', envelope).claimed.access ?? '');
  context.authoriser.use(access, context.log);
}

/** {@link setPolicy} in a transaction; {@link useAccess} after its commit. */
export async function keepPolicy(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { envelope, device }: { readonly envelope: Envelope; readonly device: DeviceId },
): Promise<void> {
  const statement = assertPolicy(context, claimed, envelope);
  if ((await keepRule(context, tx, claimed.org, { name: POLICY, statement })) === 'kept')
    await context.record(tx, claimed.org, { type: 'policy-set', policy: statement.digest, device });
}

/** A policy that officers signed, and that is one. Throws CustodianError `bad-statement`. */
export function assertPolicy(
  { clock }: CustodianContext,
  { keyring }: ClaimedOrganisation,
  envelope: Envelope,
): Verified<'policy'> {
  const opened = openPolicy(envelope, { keyring, now: clock.now() });
  if (!opened.allow)
    throw new CustodianError('bad-statement', `the policy does not count: ${opened.reasons.join(', ')}`, {
      next: `it takes the signatures of ${Math.max(1, keyring.quorum)} officers: see \`ringfence policy set --help\``,
    });
  const { cedar, access = '' } = opened.policy.body;
  const faults = [...jobPolicyFaults(cedar), ...ownRoleFaults(access)];
  if (faults.length === 0) return opened.policy;
  throw new CustodianError('bad-statement', faults.join('\n').slice(0, LONGEST_FAULTS), {
    next: 'correct the policy: docs/policy.md',
  });
}

/** The policy that counts, as it was signed. */
export async function currentPolicy(context: CustodianContext, tx: Tx): Promise<Envelope | null> {
  return (await newestRule(context, tx, POLICY))?.envelope ?? null;
}

/** A job, and the machine once there is one. */
export interface PolicyQuestion {
  readonly job: Pick<JobStatement, 'job' | 'device' | 'project'>;
  readonly label: Pick<LabelStatement, 'sensitivity'>;
  readonly placement: PlacementPart;
  readonly workload: Workload;
  /** The profile that the label names. */
  readonly profile: Envelope | undefined;
  readonly at?: Pick<Admission, 'agent' | 'receipt'>;
}

/** A yes, with the policy that forbade nothing if there is one; or the policies that forbid. */
export type PolicyVerdict =
  | { readonly allow: true; readonly policy: Digest | undefined }
  | { readonly allow: false; readonly forbidden: readonly string[] };

/** Asks the organisation's policy, which can only forbid; without one everything else decides. */
export async function judgeByPolicy(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  question: PolicyQuestion,
): Promise<PolicyVerdict> {
  const kept = await newestRule(context, tx, POLICY);
  if (kept === undefined) return { allow: true, policy: undefined };
  const policy = remembered(kept.digest, kept.envelope);
  if (policy === undefined) return { allow: false, forbidden: [NOT_EVALUATED] };
  const { job, label, placement, workload, profile, at } = question;
  const { device } = job;
  const roles = claimed.keyring
    .rolesOf(device)
    .flatMap(({ role, project }) => (project === undefined || project === job.project ? [role] : []));
  const decision = policy.judge({
    device,
    roles,
    job: job.job,
    sensitivity: label.sensitivity,
    placement,
    workload,
    ...(profile === undefined ? {} : { profile: readStatement('profile', profile).claimed.name }),
    ...(at === undefined ? {} : { place: placeOf(at) }),
  });
  return decision.allow ? { allow: true, policy: kept.digest } : { allow: false, forbidden: decision.reasons };
}

/**
 * What the policy would say to a deposit of a job by `device`, as far as its words go: nothing is verified, since the answer gives nobody
 * anything. Throws CustodianError `bad-statement` for a label that is none.
 */
export async function foretellPolicy(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { label, placement, workload }: z.output<typeof policyQuestion>,
  device: DeviceId,
): Promise<readonly string[]> {
  const { sensitivity, job, profile } = labelIn(label);
  return context.store.withOrg(claimed.org, async (tx) => {
    const named = profile === undefined ? undefined : await ruleOf(context, tx, profile);
    const verdict = await judgeByPolicy(context, tx, claimed, {
      job: { job, device, project: claimed.project },
      label: { sensitivity },
      placement,
      workload,
      profile: named?.envelope,
    });
    return verdict.allow ? [] : verdict.forbidden;
  });
}

function labelIn(envelope: Envelope): LabelStatement {
  try {
    return readStatement('label', envelope).claimed;
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CustodianError('bad-statement', 'the label is none', { cause, next: 'plan again with a current client' });
  }
}

/** The machine as the keyring names it; of the receipt only what is chosen and charged. */
function placeOf({ agent, receipt }: Pick<Admission, 'agent' | 'receipt'>): JobPlace {
  const { chosen, price } = receipt.body;
  return {
    tier: agent.tier,
    isolation: chosen.isolation,
    jurisdictions: agent.jurisdictions,
    site: agent.site,
    agent: agent.id,
    provider: agent.admitted?.provider,
    price,
  };
}

/** Compiled once each: a version is asked at every deposit and grant until the next. */
const compiled = new Map<Digest, JobPolicy | undefined>();
const MOST_REMEMBERED = 4;

function remembered(digest: Digest, envelope: Envelope): JobPolicy | undefined {
  if (compiled.has(digest)) return compiled.get(digest);
  const result = compileJobPolicy(readStatement('policy', envelope).claimed.cedar);
  const policy = 'policy' in result ? result.policy : undefined;
  const [oldest] = compiled.keys();
  if (compiled.size >= MOST_REMEMBERED && oldest !== undefined) compiled.delete(oldest);
  compiled.set(digest, policy);
  return policy;
}
