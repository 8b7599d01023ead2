import { attemptNumber, idOf, moment, retryReason, sha256, tier, whole } from '@ringfence/protocol';
import { avoidanceReason, FACTOR_KINDS, JOB_STATES } from '@ringfence/protocol/api';
import { deviceRoles } from '@ringfence/protocol/messages';
import { BURST_DECISIONS, OUTCOMES, WAITING_REASONS } from '@ringfence/protocol/statements';
import { MOST_VICTIMS } from '@ringfence/policy/queue';
import { z } from 'zod';

const party = z.union([idOf('device'), idOf('agent'), idOf('custodian')]);
const job = idOf('job');
const member = idOf('member');
const factor = z.enum(FACTOR_KINDS);
const count = whole(1, Number.MAX_SAFE_INTEGER);
/** Who asked for it: a device, a member in a browser, or a service account; events from before this was written have none. */
const asker = z
  .union([
    z.strictObject({ device: idOf('device') }),
    z.strictObject({ member }),
    z.strictObject({ account: idOf('serviceAccount') }),
  ])
  .exactOptional();
const refused = z.array(z.strictObject({ constraint: z.enum(WAITING_REASONS), count: whole(1, 10_000_000) }));

/** Everything that the control plane writes down: closed, and made of ids, states and digests. */
export const controlPlaneEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('organisation-registered'), custodian: idOf('custodian') }),
  z.strictObject({ type: z.literal('custodian-restored'), custodian: idOf('custodian') }),
  z.strictObject({ type: z.literal('party-added'), party, keyringSeq: whole(0, 1_000_000) }),
  z.strictObject({ type: z.literal('party-removed'), party, keyringSeq: whole(0, 1_000_000) }),
  z.strictObject({ type: z.literal('party-locked'), party, reason: z.enum(['fork', 'removed', 'incident']) }),
  /** Somebody or something is cut off, until then or until it is lifted. */
  z.strictObject({
    type: z.literal('lock-set'),
    lock: idOf('lock'),
    kind: z.enum(['member', 'role', 'device', 'agent', 'site', 'token']),
    target: z.string().max(64),
    source: z.enum(['officer', 'fork', 'custodian']),
    until: moment.nullable(),
    asker,
  }),
  z.strictObject({ type: z.literal('lock-confirmed'), lock: idOf('lock'), asker }),
  z.strictObject({
    type: z.literal('lock-ended'),
    lock: idOf('lock'),
    by: z.enum(['quorum', 'time', 'custodian']),
    asker,
  }),
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
  /** What a device may do from now on; none: nothing. */
  z.strictObject({
    type: z.literal('roles-noted'),
    device: idOf('device'),
    keyringSeq: whole(0, 1_000_000),
    roles: deviceRoles.shape.roles,
  }),
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
  z.strictObject({ type: z.literal('stop-requested'), job, asker }),
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
    asker,
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
  z.strictObject({
    type: z.literal('member-invited'),
    member,
    invitation: idOf('invitation'),
    roles: deviceRoles.shape.roles,
    asker,
  }),
  z.strictObject({ type: z.literal('member-joined'), member }),
  z.strictObject({ type: z.literal('member-removed'), member, asker }),
  /** `factors`: by which; none by an invitation, and not there in events from before this was written. */
  z.strictObject({
    type: z.literal('session-begun'),
    member,
    session: idOf('session'),
    factors: z.array(factor).max(8).exactOptional(),
  }),
  /** A member was let in after so many wrong tries that they are told; `halfRight`: one factor of one was right. */
  z.strictObject({ type: z.literal('wrong-tries'), member, tries: count, halfRight: z.boolean() }),
  z.strictObject({ type: z.literal('session-ended'), member, session: idOf('session') }),
  z.strictObject({ type: z.literal('factor-enrolled'), member, factor }),
  /** `asker`: where it was not the member. */
  z.strictObject({ type: z.literal('factor-removed'), member, factor, asker }),
  /** A factor was given to a session or device. */
  z.strictObject({
    type: z.literal('stepped-up'),
    member,
    holder: z.union([idOf('session'), idOf('device')]),
    factor,
    /** The device is the member's from this on. */
    first: z.literal(true).exactOptional(),
  }),
  /** Its counter fell: it may exist twice. */
  z.strictObject({ type: z.literal('passkey-suspended'), member }),
  z.strictObject({
    type: z.literal('sso-provider-added'),
    provider: idOf('ssoProvider'),
    assures: z.union([z.literal(1), z.literal(2)]),
    asker,
  }),
  z.strictObject({ type: z.literal('sso-provider-removed'), provider: idOf('ssoProvider'), asker }),
  z.strictObject({
    type: z.literal('service-account-added'),
    account: idOf('serviceAccount'),
    roles: deviceRoles.shape.roles,
    asker,
  }),
  z.strictObject({ type: z.literal('service-account-removed'), account: idOf('serviceAccount'), asker }),
  z.strictObject({
    type: z.literal('account-key-added'),
    account: idOf('serviceAccount'),
    key: idOf('accountKey'),
    federated: z.boolean(),
  }),
  z.strictObject({ type: z.literal('job-backs-off'), job, reason: retryReason, notBefore: moment }),
]);

/** One event of an organisation's ledger. */
export type ControlPlaneEvent = z.infer<typeof controlPlaneEvent>;
