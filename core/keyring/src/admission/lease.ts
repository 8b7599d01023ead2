import { canonicalBytes, type AgentId, type EpochMs } from '@ringfence/base';
import { sha256Hex, type Digest, type Envelope } from '@ringfence/crypto/sign';
import {
  checkPlacement,
  isolationAtLeast,
  needsAt,
  priceLimitOf,
  residencyCovers,
  residencyOf,
  residencySpares,
  type Decision,
  type TierNeeds,
} from '@ringfence/policy';
import { EVIDENCE_GRACE_MS } from '@ringfence/policy/placement';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { AgentEntry } from '../chain/entries.ts';
import { CLOCK_SKEW_MS, type Keyring } from '../chain/keyring.ts';
import { evidenceHolds } from '../evidence/evidence-holds.ts';
import type { EvidenceFile } from '../evidence/read-evidence.ts';
import { checkHead, headMaxAge, type HeadMark, type HeadReason } from '../head.ts';
import type { Verified } from '../statement.ts';
import { failed, type Check } from './checks.ts';
import { openControlPlaneKeys, type ControlPlanePin } from './control-plane-keys.ts';
import { tryRead, tryVerify } from './open.ts';

/** What comes with a lease: the statements as received, the placement part as parsed. */
export interface LeasedStart {
  readonly job: Envelope;
  readonly label: Envelope;
  readonly placement: PlacementPart;
  readonly receipt: Envelope;
  readonly lease: Envelope;
}

/** By whom and when a start is judged. */
export interface AdmissionContext {
  readonly keyring: Keyring;
  /** The head that was fetched last, and the newest one accepted so far. */
  readonly head: Envelope;
  readonly seenHead?: HeadMark | undefined;
  readonly controlPlane: ControlPlanePin;
  /** The control plane's `control-plane-keys` statement. */
  readonly controlPlaneKeys: Envelope;
  /** The agent that would start. */
  readonly agent: AgentId;
  /** The highest attempt of this job that was ever taken (agent) or granted (custodian); 0 for none. */
  readonly highestAttempt: number;
  readonly now: EpochMs;
  /** Where the machine stands by its own word, which may only narrow what the keyring says. */
  readonly jurisdictions?: readonly string[] | undefined;
  /** What the judge itself established about the agent's machine; nothing unless it says so. */
  readonly appraised?: { readonly tee?: boolean } | undefined;
  /** The evidence at hand; none unless it says so. */
  readonly evidence?: EvidenceFile | undefined;
}

/** Four statements and a placement that name each other, all signed by those who may. */
export interface Admission {
  readonly job: Verified<'job'>;
  readonly label: Verified<'label'>;
  readonly placement: PlacementPart;
  readonly receipt: Verified<'receipt'>;
  readonly lease: Verified<'lease'>;
  readonly head: Verified<'keyring-head'>;
  readonly agent: AgentEntry;
}

type Opened = Omit<Admission, 'head' | 'agent'>;

/**
 * Whether an attempt may go on to ask for (agent) or be given (custodian) a grant. Signatures first; what unsigned statements
 * say is not looked at. Every id, number and digest by which the statements name each other is checked; all failed checks of
 * the step that failed are returned. This is what makes a hostile control plane unable to start anything (invariants 4, 5).
 */
export function checkLease(start: LeasedStart, context: AdmissionContext): Decision<Check, { admission: Admission }> {
  const opened = open(start, context);
  if (!opened.allow) return opened;
  const { statements } = opened;
  const agent = context.keyring.agent(context.agent);
  const maxAge = headMaxAge(statements.label.body.sensitivity);
  const head = checkHead(context.keyring, context.head, { now: context.now, maxAge, seen: context.seenHead });
  const reasons = failed({
    'agent-not-member': agent !== undefined,
    ...(head.allow ? {} : headChecks(head.reasons)),
    ...jobChecks(statements, context),
    ...labelChecks(statements, context),
    ...placementChecks(statements, context),
    ...receiptChecks(statements, context),
    ...(agent === undefined ? {} : machineChecks(statements, agent, context)),
    ...leaseChecks(statements, context),
  });
  if (reasons.length > 0 || agent === undefined || !head.allow) return { allow: false, reasons };
  return { allow: true, admission: { ...statements, head: head.head, agent } };
}

/** The digest by which a job statement names its placement part. */
export function placementDigest(placement: PlacementPart): Digest {
  return sha256Hex(canonicalBytes(placement));
}

function open(start: LeasedStart, context: AdmissionContext): Decision<Check, { statements: Opened }> {
  const { keyring, now } = context;
  const keys = openControlPlaneKeys(context.controlPlaneKeys, context.controlPlane, now);
  const read = {
    job: tryRead('job', start.job),
    label: tryRead('label', start.label),
    receipt: tryRead('receipt', start.receipt),
    lease: tryRead('lease', start.lease),
  };
  const device = read.job === undefined ? undefined : keyring.deviceKey(read.job.claimed.device);
  const job = tryVerify(read.job, () => (device === undefined ? [] : [device]));
  const label = tryVerify(read.label, ({ custodian }) => keyring.delegatedKeys('label', now, custodian));
  const leaseKeys = keys === undefined ? [] : [keys.body.leases];
  const receipt = tryVerify(read.receipt, () => leaseKeys);
  const lease = tryVerify(read.lease, () => leaseKeys);
  if (job !== undefined && label !== undefined && receipt !== undefined && lease !== undefined) {
    return { allow: true, statements: { job, label, placement: start.placement, receipt, lease } };
  }
  const reasons = failed({
    'control-plane-keys': keys !== undefined,
    'job-malformed': read.job !== undefined,
    'job-device': read.job === undefined || device !== undefined,
    'job-signature': read.job === undefined || device === undefined || job !== undefined,
    'label-malformed': read.label !== undefined,
    'label-signature': read.label === undefined || label !== undefined,
    'receipt-malformed': read.receipt !== undefined,
    'receipt-signature': read.receipt === undefined || keys === undefined || receipt !== undefined,
    'lease-malformed': read.lease !== undefined,
    'lease-signature': read.lease === undefined || keys === undefined || lease !== undefined,
  });
  return { allow: false, reasons };
}

type Results = Partial<Record<Check, boolean>>;
type Price = NonNullable<PlacementPart['maxPrice']>;

const HEAD_CHECKS: Readonly<Record<HeadReason, Check>> = {
  'bad-head': 'head-bad',
  stale: 'head-stale',
  fork: 'head-fork',
  behind: 'head-behind',
};

function headChecks(reasons: readonly HeadReason[]): Results {
  return Object.fromEntries(reasons.map((reason) => [HEAD_CHECKS[reason], false]));
}

function jobChecks({ job }: Opened, { keyring, now }: AdmissionContext): Results {
  return {
    'job-org': job.body.org === keyring.org,
    'job-not-yet': job.body.at <= now + CLOCK_SKEW_MS,
    'job-expired': now < job.body.expires,
  };
}

function labelChecks({ job, label }: Opened, { keyring, now }: AdmissionContext): Results {
  return {
    'label-org': label.body.org === keyring.org,
    'label-job': label.body.job === job.body.job,
    'label-digest': label.digest === job.body.labelDigest,
    'label-not-yet': label.body.at <= now + CLOCK_SKEW_MS,
    'label-expired': now < label.body.notAfter,
  };
}

function placementChecks({ job, label, placement }: Opened, { now }: AdmissionContext): Results {
  const { budget, deadline } = placement;
  return {
    'placement-digest': placementDigest(placement) === job.body.constraintDigest,
    'placement-type': placement.type === job.body.type,
    'placement-looser-than-label': checkPlacement(placement, label.body).allow,
    'placement-budget': budget === undefined || budget.attempts >= job.body.maxAttempts,
    'placement-deadline': deadline === undefined || now < deadline,
  };
}

function receiptChecks({ job, label, receipt, lease }: Opened, context: AdmissionContext): Results {
  const { body } = receipt;
  const refused = body.refused.reduce((sum, { count }) => sum + count, 0);
  const constraints = new Set(body.refused.map(({ constraint }) => constraint));
  return {
    'receipt-org': body.org === context.keyring.org,
    'receipt-job': body.job === job.body.job,
    'receipt-control-plane': body.controlPlane === context.controlPlane.id,
    'receipt-job-digest': body.jobDigest === job.digest,
    'receipt-constraint-digest': body.constraintDigest === job.body.constraintDigest,
    'receipt-label-digest': body.labelDigest === label.digest,
    'receipt-attempt': body.attempt === lease.body.attempt,
    'receipt-agent': body.chosen.agent === context.agent,
    'receipt-counts':
      constraints.size === body.refused.length &&
      refused < body.considered &&
      (body.feasible === undefined || refused + body.feasible === body.considered),
    'receipt-not-yet': body.at <= context.now + CLOCK_SKEW_MS,
  };
}

/** The keyring says what the machine is; the receipt may only agree, and the label decides what it must be. */
function machineChecks(opened: Opened, agent: AgentEntry, context: AdmissionContext): Results {
  const { appraised, jurisdictions } = context;
  const { chosen, price } = opened.receipt.body;
  const { residencyDeny = [], sites } = opened.placement;
  const limit = priceLimitOf(opened.placement);
  const covers = (places: readonly string[]): boolean =>
    residencySpares(residencyDeny, places) &&
    [opened.placement.residency, opened.label.body.residency].every((list) =>
      residencyCovers(residencyOf(list), places),
    );
  const needs: TierNeeds | undefined = needsAt(opened.placement, opened.label.body, agent.tier);
  return {
    'receipt-tier': chosen.tier === agent.tier && needs !== undefined,
    'receipt-isolation': needs === undefined || isolationAtLeast(chosen.isolation, needs.isolation),
    'receipt-process': chosen.isolation !== 'process' || agent.allowProcess,
    'receipt-price': agent.tier === 'private' || limit === undefined || isWithin(price, limit),
    'agent-residency': covers(agent.jurisdictions) && (jurisdictions === undefined || covers(jurisdictions)),
    'agent-site': sites === undefined || sites.includes(agent.site),
    'tee-not-appraised': (needs?.tees === undefined && chosen.isolation !== 'tee') || appraised?.tee === true,
    'evidence-not-verified': needs?.evidence === undefined || isShown(opened.placement, agent, needs.evidence, context),
    'agent-admission-ended': isAdmitted(agent, context.now),
  };
}

/** A machine at home is admitted as long as it is a member. */
function isAdmitted({ tier, admitted }: AgentEntry, now: EpochMs): boolean {
  if (admitted === undefined) return tier === 'private';
  return admitted.from <= now + CLOCK_SKEW_MS && now < admitted.until;
}

/** The longest run that begins now still has evidence, and so has its end. */
function isShown(
  { maxDurationMs }: PlacementPart,
  agent: AgentEntry,
  need: NonNullable<TierNeeds['evidence']>,
  { evidence, keyring, now }: AdmissionContext,
): boolean {
  if (evidence === undefined) return false;
  return evidenceHolds(evidence, keyring, { agent, need, from: now, until: now + maxDurationMs + EVIDENCE_GRACE_MS })
    .allow;
}

/** A price that is not said is within no limit. */
function isWithin(price: Price | undefined, limit: Price): boolean {
  return price !== undefined && price.currency === limit.currency && price.microUnits <= limit.microUnits;
}

function leaseChecks({ job, receipt, lease }: Opened, context: AdmissionContext): Results {
  const { body } = lease;
  return {
    'lease-agent': body.agent === context.agent,
    'lease-org': body.org === context.keyring.org,
    'lease-job': body.job === job.body.job,
    'lease-control-plane': body.controlPlane === context.controlPlane.id,
    'lease-job-digest': body.jobDigest === job.digest,
    'lease-receipt-digest': body.receiptDigest === receipt.digest,
    'lease-not-yet': body.at <= context.now + CLOCK_SKEW_MS,
    'lease-expired': context.now < body.notAfter,
    'attempt-not-new': body.attempt > context.highestAttempt,
    'attempt-beyond-maximum': body.attempt <= job.body.maxAttempts,
  };
}
