import { attemptNumber, idOf, moment, retryReason, sha256, tier, whole } from '@ringfence/protocol';
import { avoidanceReason, JOB_STATES } from '@ringfence/protocol/api';
import { BURST_DECISIONS, OUTCOMES, WAITING_REASONS } from '@ringfence/protocol/statements';
import { MOST_VICTIMS } from '@ringfence/policy/queue';
import { z } from 'zod';

const party = z.union([idOf('device'), idOf('agent'), idOf('custodian')]);
const job = idOf('job');
const count = whole(1, Number.MAX_SAFE_INTEGER);
const refused = z.array(z.strictObject({ constraint: z.enum(WAITING_REASONS), count: whole(1, 10_000_000) }));

/** Everything that the control plane writes down: closed, and made of ids, states and digests. */
export const controlPlaneEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('organisation-registered'), custodian: idOf('custodian') }),
  z.strictObject({ type: z.literal('custodian-restored'), custodian: idOf('custodian') }),
  z.strictObject({ type: z.literal('party-added'), party, keyringSeq: whole(0, 1_000_000) }),
  z.strictObject({ type: z.literal('party-removed'), party, keyringSeq: whole(0, 1_000_000) }),
  z.strictObject({ type: z.literal('party-locked'), party, reason: z.enum(['fork', 'removed', 'incident']) }),
  z.strictObject({
    type: z.literal('offer-replaced'),
    offer: idOf('offer'),
    agent: idOf('agent'),
    epoch: whole(1, Number.MAX_SAFE_INTEGER),
    tier,
  }),
  /** An offer that gets no jobs, and the first thing that is wrong with it. */
  z.strictObject({
    type: z.literal('offer-quarantined'),
    offer: idOf('offer'),
    agent: idOf('agent'),
    field: z.string().max(64),
    fault: z.string().max(64),
  }),
  /** An offer that gets no jobs for a time, since its agent does not do what it offers. */
  z.strictObject({
    type: z.literal('offer-avoided'),
    offer: idOf('offer'),
    agent: idOf('agent'),
    reason: avoidanceReason,
    until: moment,
  }),
  z.strictObject({ type: z.literal('offer-avoided-no-more'), offer: idOf('offer'), agent: idOf('agent') }),
  /** An offer that was not taken in: the organisation has as many as it may. */
  z.strictObject({ type: z.literal('offer-refused'), offer: idOf('offer'), agent: idOf('agent') }),
  z.strictObject({ type: z.literal('evidence-noted'), evidence: sha256, counts: z.boolean() }),
  z.strictObject({ type: z.literal('evidence-ended'), evidence: sha256 }),
  /** Until when a provider's machine gets jobs; 0 when no more. */
  z.strictObject({
    type: z.literal('admission-noted'),
    agent: idOf('agent'),
    provider: idOf('provider'),
    until: moment,
  }),
  z.strictObject({ type: z.literal('admission-ended'), agent: idOf('agent') }),
  z.strictObject({
    type: z.literal('job-submitted'),
    job,
    device: idOf('device'),
    jobDigest: sha256,
    labelDigest: sha256,
  }),
  z.strictObject({ type: z.literal('job-changed'), job, from: z.enum(JOB_STATES), to: z.enum(JOB_STATES) }),
  /** A machine is being cleared for a job: these were told to stop. */
  z.strictObject({
    type: z.literal('job-nominated'),
    job,
    offer: idOf('offer'),
    victims: z.array(job).min(1).max(MOST_VICTIMS),
  }),
  z.strictObject({ type: z.literal('job-waiting'), job, refused }),
  z.strictObject({
    type: z.literal('attempt-leased'),
    job,
    attempt: attemptNumber,
    agent: idOf('agent'),
    receiptDigest: sha256,
    leaseDigest: sha256,
  }),
  z.strictObject({
    type: z.literal('attempt-changed'),
    job,
    attempt: attemptNumber,
    state: z.enum(['accepted', 'refused', 'starting', 'running', 'stopped', 'expired']),
    outcome: z.enum(OUTCOMES).optional(),
    refusal: z.string().max(32).optional(),
  }),
  z.strictObject({ type: z.literal('stop-requested'), job, device: idOf('device') }),
  z.strictObject({
    type: z.literal('attempt-fenced'),
    job,
    attempt: attemptNumber,
    device: idOf('device'),
    fenceDigest: sha256,
  }),
  z.strictObject({
    type: z.literal('agent-drained'),
    agent: idOf('agent'),
    draining: z.boolean(),
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('job-wished'), job, wanted: z.boolean(), final: z.boolean() }),
  z.strictObject({ type: z.literal('pool-set'), device: idOf('device'), seq: count, poolDigest: sha256 }),
  /** A signed decision about burst and return, kept beside the ledger. */
  z.strictObject({
    type: z.literal('burst-decided'),
    seq: count,
    decision: z.enum(BURST_DECISIONS),
    offer: idOf('offer').exactOptional(),
    job: job.exactOptional(),
    attempt: attemptNumber.exactOptional(),
    decisionDigest: sha256,
  }),
  /** What a provider's agent says that it deleted. */
  z.strictObject({
    type: z.literal('data-deleted'),
    agent: idOf('agent'),
    request: idOf('deletion'),
    deletionDigest: sha256,
  }),
  z.strictObject({ type: z.literal('keys-shredded'), custodian: idOf('custodian'), request: idOf('deletion') }),
  z.strictObject({ type: z.literal('job-backs-off'), job, reason: retryReason, notBefore: moment }),
]);

/** One event of an organisation's ledger. */
export type ControlPlaneEvent = z.infer<typeof controlPlaneEvent>;
