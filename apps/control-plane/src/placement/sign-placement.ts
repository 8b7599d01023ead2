import { canonicalBytes, epochMs, type EpochMs, type OrgId } from '@ringfence/base';
import { sha256Hex, signEnvelopeAside, statementDigest, type SignedAside } from '@ringfence/crypto/sign';
import type { CountedClaim, Placement, ScoreTerms } from '@ringfence/policy/placement';
import { LABEL_RULES, sha256 } from '@ringfence/protocol';
import type { LeaseStatement, ReceiptStatement } from '@ringfence/protocol/statements';
import { LEASE_START_WITHIN_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneIdentity } from '../identity/key-folder.ts';
import type { WaitingJob } from './waiting-job.ts';

/** What decided a placement, and when. */
interface Decided {
  readonly org: OrgId;
  readonly job: WaitingJob;
  readonly term: number;
  readonly placement: Placement;
  /** Of the inventory that the choice was made from. */
  readonly inventoryEpoch: number;
  readonly now: EpochMs;
  /** What it holds of the organisation's budget, away from home. */
  readonly budget?: ReceiptStatement['budget'] | undefined;
}

/** Why this offer, and the leave to run there, as this control plane signs them. */
export interface SignedPlacement {
  readonly receipt: SignedAside;
  readonly lease: SignedAside;
}

/** Signs receipt and lease of a placement that chose an offer, both at once: a lease names the receipt by its digest. */
export function signPlacement({ id, leases }: ControlPlaneIdentity, decided: Decided): SignedPlacement {
  const { org, job, term, now } = decided;
  const { decision } = decided.placement;
  if (!decision.allow) throw new RangeError('only an allowed placement has statements');
  const common = {
    v: 1,
    org,
    job: job.job,
    attempt: job.attempts + 1,
    controlPlane: id,
    jobDigest: job.job_digest,
    at: now,
  } as const;
  const receiptBody: ReceiptStatement = { ...common, ...reasonsOf(decided) };
  const receipt = signEnvelopeAside('application/vnd.ringfence.receipt.v1+json', receiptBody, leases);
  const leaseBody: LeaseStatement = {
    ...common,
    agent: decision.chosen.agent,
    receiptDigest: receipt.digest,
    term,
    ttlMs: LEASE_TTL_MS,
    notAfter: epochMs(now + LEASE_START_WITHIN_MS),
  };
  return { receipt, lease: signEnvelopeAside('application/vnd.ringfence.lease.v1+json', leaseBody, leases) };
}

/** By these rules this release judges labels. */
const POLICY_DIGEST = sha256Hex(canonicalBytes(LABEL_RULES));

type Reasons = Omit<ReceiptStatement, 'v' | 'org' | 'job' | 'attempt' | 'controlPlane' | 'jobDigest' | 'at'>;

function reasonsOf({ job, placement, inventoryEpoch, budget }: Decided): Reasons {
  const { decision, considered, explanation, feasible } = placement;
  if (!decision.allow) throw new RangeError('only an allowed placement has reasons for an offer');
  const { offer, agent, tier, isolation, terms, price, lossEvery, evidence } = decision.chosen;
  return {
    constraintDigest: sha256Hex(canonicalBytes(job.placement)),
    labelDigest: statementDigest(job.label_envelope),
    inventoryEpoch,
    considered,
    refused: [...explanation.refused],
    feasible,
    chosen: { offer, agent, tier, isolation },
    score: inMillionths(terms),
    ...(price === undefined ? {} : { price }),
    ...(lossEvery === undefined ? {} : { lossEvery }),
    ...(budget === undefined ? {} : { budget }),
    ...(evidence.length === 0 ? {} : claimsOf(evidence)),
    policyDigest: POLICY_DIGEST,
  };
}

/** Statements carry whole numbers alone. */
function inMillionths({ cost, speed, reliability, gravity }: ScoreTerms): NonNullable<ReceiptStatement['score']> {
  const whole = (term: number): number => Math.min(Math.round(term * 1e6), Number.MAX_SAFE_INTEGER);
  return { cost: whole(cost), speed: whole(speed), reliability: whole(reliability), gravity: whole(gravity) };
}

function claimsOf(claims: readonly CountedClaim[]): Pick<Reasons, 'evidence' | 'evidenceUntil'> {
  const evidence = claims.map(({ digest, notAfter }) => ({ digest: sha256.parse(digest), notAfter }));
  return { evidence, evidenceUntil: epochMs(Math.min(...evidence.map(({ notAfter }) => notAfter))) };
}
