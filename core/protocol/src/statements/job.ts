import { z } from 'zod';
import {
  attemptNumber,
  idOf,
  isolation,
  jobType,
  jurisdiction,
  moment,
  sensitivity,
  sha256,
  signKey,
  tier,
  whole,
} from '../fields.ts';
import { CONSTRAINTS, price } from './placement.ts';
import { reservedBudget } from './pool.ts';

const v = z.literal(1);
const term = whole(0, Number.MAX_SAFE_INTEGER);
/** No lease, and no renewal of one, lasts longer. */
export const LONGEST_LEASE_MS = 600_000;

/** The custodian's word on how strictly a job's inputs and outputs are to be kept; the only label that the placer takes. */
export const labelStatement = z.strictObject({
  v,
  org: idOf('org'),
  job: idOf('job'),
  custodian: idOf('custodian'),
  sensitivity,
  /** Empty: anywhere. */
  residency: z.array(jurisdiction).max(32),
  /** Every owner of the data signed that a provider without a TEE may see the plaintext. */
  acceptProviderPlaintext: z.literal(true).optional(),
  /** Digest of the profile that the job names. */
  profile: sha256.optional(),
  at: moment,
  notAfter: moment,
});

/** The most attempts of a job that ends. */
export const MOST_ATTEMPTS = 100;
/** The most attempts of a `serve` job. */
export const MOST_SERVE_ATTEMPTS = 1_000_000;

/** A member's order to run one job: the first of the three signatures. */
export const jobStatement = z
  .strictObject({
    v,
    org: idOf('org'),
    project: idOf('project'),
    job: idOf('job'),
    device: idOf('device'),
    type: jobType,
    at: moment,
    expires: moment,
    /** Above 100 for `serve` alone, where each scale from zero is one. */
    maxAttempts: whole(1, MOST_SERVE_ATTEMPTS),
    replicas: whole(1, 1_000),
    constraintDigest: sha256,
    payloadDigest: sha256,
    labelDigest: sha256,
  })
  .refine(({ type, maxAttempts }) => type === 'serve' || maxAttempts <= MOST_ATTEMPTS, {
    error: 'only a serve job may have more than 100 attempts',
  });

/** Why this offer: the control plane's signed account of one placement. */
export const receiptStatement = z.strictObject({
  v,
  org: idOf('org'),
  job: idOf('job'),
  attempt: attemptNumber,
  controlPlane: idOf('controlPlane'),
  jobDigest: sha256,
  constraintDigest: sha256,
  labelDigest: sha256,
  inventoryEpoch: whole(0, Number.MAX_SAFE_INTEGER),
  considered: whole(1, 10_000_000),
  refused: z
    .array(z.strictObject({ constraint: z.enum(CONSTRAINTS), count: whole(1, 10_000_000) }))
    .max(CONSTRAINTS.length),
  /** Offers that could take the job; with the counts of `refused` they sum to `considered`. */
  feasible: whole(1, 10_000_000).exactOptional(),
  chosen: z.strictObject({ offer: idOf('offer'), agent: idOf('agent'), tier, isolation }),
  /** What made the chosen offer's score, in millionths; the least sum wins. */
  score: z.strictObject({ cost: term, speed: term, reliability: term, gravity: term }).exactOptional(),
  /** Absent at the organisation's own sites. */
  price: price.exactOptional(),
  /** Mean time between losses of attempts there: 2ⁿ seconds; absent at the organisation's own sites. */
  lossEvery: whole(0, 30).exactOptional(),
  /** What of the budget it holds, where the organisation has one and the offer is away from home. */
  budget: reservedBudget.exactOptional(),
  /** The claims that made the offer eligible. */
  evidence: z
    .array(z.strictObject({ digest: sha256, notAfter: moment }))
    .min(1)
    .max(8)
    .exactOptional(),
  /** When the first of them ends. */
  evidenceUntil: moment.exactOptional(),
  /** Digest of the table by which labels decide: two receipts with the same one were judged by the same rules. */
  policyDigest: sha256.exactOptional(),
  at: moment,
});

/** The control plane's leave for one agent to run one attempt: the second signature. */
export const leaseStatement = z.strictObject({
  v,
  org: idOf('org'),
  job: idOf('job'),
  attempt: attemptNumber,
  agent: idOf('agent'),
  controlPlane: idOf('controlPlane'),
  jobDigest: sha256,
  receiptDigest: sha256,
  term: whole(1, 1_000_000_000),
  ttlMs: whole(1_000, LONGEST_LEASE_MS),
  at: moment,
  notAfter: moment,
});

/** The custodian's leave to open the payload of one attempt: the third signature. */
export const grantStatement = z.strictObject({
  v,
  org: idOf('org'),
  job: idOf('job'),
  attempt: attemptNumber,
  agent: idOf('agent'),
  custodian: idOf('custodian'),
  jobDigest: sha256,
  leaseDigest: sha256,
  receiptDigest: sha256,
  labelDigest: sha256,
  payloadDigest: sha256,
  isolation,
  /** Digest of the organisation policy that forbade nothing. */
  policy: sha256.optional(),
  epoch: whole(1, 1_000_000),
  at: moment,
  notAfter: moment,
});

/** How an attempt ended. */
export const OUTCOMES = [
  'succeeded',
  'failed',
  'stopped',
  'lease-lost',
  'interrupted',
  'out-of-memory',
  'timed-out',
  'setup-failed',
  'not-started',
] as const;

/** The agent's word that nothing of an attempt runs any more and nothing of it will. */
export const stoppedStatement = z.strictObject({
  v,
  org: idOf('org'),
  job: idOf('job'),
  attempt: attemptNumber,
  agent: idOf('agent'),
  outcome: z.enum(OUTCOMES),
  at: moment,
});

/** The custodian's word that these are the results of the job; there is at most one per job. */
export const commitRecord = z.strictObject({
  v,
  org: idOf('org'),
  job: idOf('job'),
  attempt: attemptNumber,
  agent: idOf('agent'),
  custodian: idOf('custodian'),
  epoch: whole(1, 1_000_000),
  sensitivity,
  outputs: z
    .array(z.strictObject({ artifact: idOf('artifact'), version: whole(1, 1_000_000), manifest: sha256 }))
    .max(64),
  at: moment,
});

/** Which online keys speak for a control plane; signed by its root, which join codes pin. */
export const controlPlaneKeys = z.strictObject({
  v,
  controlPlane: idOf('controlPlane'),
  root: signKey,
  frames: signKey,
  leases: signKey,
  at: moment,
  notAfter: moment,
});

export type LabelStatement = z.infer<typeof labelStatement>;
export type JobStatement = z.infer<typeof jobStatement>;
export type ReceiptStatement = z.infer<typeof receiptStatement>;
export type LeaseStatement = z.infer<typeof leaseStatement>;
export type GrantStatement = z.infer<typeof grantStatement>;
export type ControlPlaneKeys = z.infer<typeof controlPlaneKeys>;
export type Outcome = (typeof OUTCOMES)[number];
