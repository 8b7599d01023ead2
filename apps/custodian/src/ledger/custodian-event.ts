import { MOUNT_REASONS } from '@ringfence/policy';
import { attemptNumber, idOf, isolation, moment, sensitivity, sha256, tier, whole } from '@ringfence/protocol';
import {
  DEBIT_REASONS,
  ENTRY_KINDS,
  GRANT_REFUSALS,
  IDENTITY_REFUSALS,
  LOG_FAULTS,
  roundNumber,
} from '@ringfence/protocol/payload';
import { positiveDecimal } from '@ringfence/protocol/federation';
import {
  MOST_PARTIES,
  MOST_RELEASED,
  namedAttempts,
  OUTCOMES,
  purposeWord,
  releaseReceipt,
} from '@ringfence/protocol/statements';
import { z } from 'zod';

const job = idOf('job');
const use = { artifact: idOf('artifact'), job, attempt: attemptNumber };
const round = { ...use, contract: sha256, round: roundNumber };
const run = { job, attempt: attemptNumber, agent: idOf('agent') };
/** Who asked for it, where what happened is no device's alone. */
const asker = z.strictObject({ device: idOf('device') }).exactOptional();

/** Everything that the custodian writes down: closed, and made of ids, labels, codes and digests. */
export const custodianEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('claimed'), custodian: idOf('custodian'), keyringDigest: sha256 }),
  z.strictObject({ type: z.literal('registered'), controlPlane: idOf('controlPlane') }),
  z.strictObject({ type: z.literal('restored'), epoch: whole(1, 1_000_000) }),
  z.strictObject({ type: z.literal('backed-up'), device: idOf('device') }),
  z.strictObject({
    type: z.literal('keyring-changed'),
    seq: whole(0, 1_000_000),
    digest: sha256,
    kind: z.string().max(32),
  }),
  z.strictObject({ type: z.literal('join-code-made'), code: idOf('joinCode'), device: idOf('device'), tier }),
  z.strictObject({ type: z.literal('agent-joined'), agent: idOf('agent'), code: idOf('joinCode') }),
  /** It was given its first certificate: from then on it shows one that holds. */
  z.strictObject({ type: z.literal('agent-certified'), agent: idOf('agent') }),
  z.strictObject({
    type: z.literal('agent-locked'),
    agent: idOf('agent'),
    reason: z.enum(['fork', 'removed', 'incident']),
  }),
  /** Somebody or something is cut off, until then or until it is lifted. */
  z.strictObject({
    type: z.literal('lock-set'),
    lock: idOf('lock'),
    kind: z.enum(['member', 'role', 'device', 'agent', 'site', 'token']),
    target: z.string().max(64),
    source: z.enum(['officer', 'fork']),
    until: moment.nullable(),
    asker,
  }),
  z.strictObject({ type: z.literal('lock-confirmed'), lock: idOf('lock'), asker }),
  z.strictObject({ type: z.literal('lock-ended'), lock: idOf('lock'), by: z.enum(['quorum', 'time']), asker }),
  z.strictObject({
    type: z.literal('dataset-added'),
    artifact: idOf('artifact'),
    version: whole(1, 1_000_000),
    manifest: sha256,
    sensitivity,
    device: idOf('device'),
    /** Of data that stays there. */
    site: idOf('site').optional(),
  }),
  z.strictObject({
    type: z.literal('version-pruned'),
    artifact: idOf('artifact'),
    version: whole(1, 1_000_000),
    device: idOf('device'),
  }),
  /** As old as its rule of retention allows. */
  z.strictObject({
    type: z.literal('version-expired'),
    artifact: idOf('artifact'),
    version: whole(1, 1_000_000),
  }),
  z.strictObject({ type: z.literal('log-expired'), job, attempt: attemptNumber }),
  /** For how long; of kept logs where no artifact is named. */
  z.strictObject({
    type: z.literal('retention-set'),
    artifact: idOf('artifact').optional(),
    keepMs: whole(1, Number.MAX_SAFE_INTEGER).nullable(),
    device: idOf('device'),
  }),
  /** The digest of the signed report. */
  z.strictObject({ type: z.literal('erased'), erasure: sha256, device: idOf('device') }),
  z.strictObject({ type: z.literal('exported'), device: idOf('device'), member: idOf('member').optional() }),
  z.strictObject({ type: z.literal('member-erased'), member: idOf('member'), device: idOf('device') }),
  z.strictObject({
    type: z.literal('log-pruned'),
    job,
    attempt: attemptNumber,
    device: idOf('device'),
  }),
  /** With the wrapped keys of their chunks. */
  z.strictObject({
    type: z.literal('objects-pruned'),
    objects: whole(1, 1_000_000),
    bytes: whole(0, Number.MAX_SAFE_INTEGER),
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('label-signed'), job, labelDigest: sha256, sensitivity, device: idOf('device') }),
  z.strictObject({
    type: z.literal('job-deposited'),
    job,
    device: idOf('device'),
    jobDigest: sha256,
    labelDigest: sha256,
  }),
  z.strictObject({
    type: z.literal('granted'),
    ...run,
    jobDigest: sha256,
    leaseDigest: sha256,
    receiptDigest: sha256,
    labelDigest: sha256,
    grantDigest: sha256,
    isolation,
  }),
  /** Whether one mount of a start is for a purpose and at a place that the data's owner allows. */
  z.strictObject({
    type: z.literal('mount-decided'),
    ...run,
    artifact: idOf('artifact'),
    version: whole(1, 1_000_000),
    /** None where the job names none, or no word of the kind that owners name. */
    purpose: purposeWord.nullable(),
    decision: z.enum(['allowed', 'refused']),
    reasons: z.array(z.enum(MOUNT_REASONS)).max(MOUNT_REASONS.length),
  }),
  z.strictObject({
    type: z.literal('grant-refused'),
    job,
    agent: idOf('agent'),
    reason: z.enum(GRANT_REFUSALS),
    /** The checks of core/keyring that failed, in order. */
    checks: z.array(z.string().max(40)).max(32),
  }),
  z.strictObject({ type: z.literal('stopped'), ...run, outcome: z.enum(OUTCOMES) }),
  z.strictObject({ type: z.literal('fenced'), ...run, device: idOf('device'), fenceDigest: sha256 }),
  z.strictObject({ type: z.literal('committed'), ...run, commitDigest: sha256 }),
  /** `secret` is the keyed hash of its name. */
  z.strictObject({
    type: z.literal('secret-set'),
    secret: z.string().max(64),
    version: whole(1, 1_000_000),
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('secret-removed'), secret: z.string().max(64), device: idOf('device') }),
  z.strictObject({ type: z.literal('evidence-added'), evidence: sha256, device: idOf('device') }),
  z.strictObject({
    type: z.literal('evidence-revoked'),
    evidence: sha256,
    revocation: sha256,
    device: idOf('device'),
  }),
  /** What takes two people: what everybody is told of it. */
  z.strictObject({
    type: z.literal('proposal-changed'),
    proposal: idOf('proposal'),
    digest: sha256,
    kind: z.enum(['keyring', 'policy', 'privacy-budget']),
    what: z.enum(['proposed', 'approved', 'waiting', 'half-waited', 'ready', 'objected', 'expired', 'done']),
  }),
  /** Whose a device is, or what its person is called. */
  z.strictObject({ type: z.literal('member-named'), member: idOf('member'), device: idOf('device') }),
  z.strictObject({ type: z.literal('factor-enrolled'), member: idOf('member'), device: idOf('device') }),
  z.strictObject({ type: z.literal('factor-removed'), member: idOf('member'), device: idOf('device') }),
  z.strictObject({
    type: z.literal('stepped-up'),
    member: idOf('member'),
    device: idOf('device'),
    factor: z.enum(['totp', 'recovery-code']),
  }),
  z.strictObject({ type: z.literal('profile-set'), profile: sha256, device: idOf('device') }),
  z.strictObject({ type: z.literal('policy-set'), policy: sha256, device: idOf('device') }),
  z.strictObject({ type: z.literal('checkpointed'), ...run, manifest: sha256 }),
  /** A running job was given a token for this audience, told by its digest; `token`: its `jti`. */
  z.strictObject({
    type: z.literal('identity-issued'),
    ...run,
    audience: sha256,
    token: z.string().regex(/^[\w-]{22}$/),
    until: moment,
  }),
  z.strictObject({
    type: z.literal('identity-refused'),
    ...run,
    audience: sha256,
    reasons: z.array(z.enum(IDENTITY_REFUSALS)).max(IDENTITY_REFUSALS.length),
  }),
  /** Somebody ran a command in the sandbox of a running attempt, or copied a file from or to it. */
  z.strictObject({ type: z.literal('entered'), ...run, device: idOf('device'), kind: z.enum(ENTRY_KINDS) }),
  z.strictObject({ type: z.literal('log-stored'), ...run, manifest: sha256 }),
  z.strictObject({
    type: z.literal('endpoint-revised'),
    endpoint: idOf('endpoint'),
    revision: whole(1, 1_000_000),
    device: idOf('device'),
  }),
  z.strictObject({
    type: z.literal('endpoint-turned'),
    endpoint: idOf('endpoint'),
    revision: whole(1, 1_000_000),
    state: z.enum(['current', 'going', 'gone']),
  }),
  z.strictObject({
    type: z.literal('endpoint-scaled'),
    endpoint: idOf('endpoint'),
    replicas: whole(0, 100).nullable(),
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('endpoint-removed'), endpoint: idOf('endpoint'), device: idOf('device') }),
  /** The digest of a token, and who made or revoked it. */
  z.strictObject({
    type: z.literal('token-minted'),
    endpoint: idOf('endpoint'),
    token: sha256,
    device: idOf('device'),
  }),
  z.strictObject({
    type: z.literal('token-revoked'),
    endpoint: idOf('endpoint'),
    token: sha256,
    device: idOf('device'),
  }),
  z.strictObject({
    type: z.literal('gateway-allowed'),
    agent: idOf('agent'),
    allow: z.boolean(),
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('issuer-made'), certificate: sha256 }),
  /** Data keys of attempts that ran away from home; the digest of the agent's signed deletion, that there is none, or that it does not count. */
  z.strictObject({
    type: z.literal('keys-shredded'),
    request: idOf('deletion'),
    agent: idOf('agent'),
    attempts: namedAttempts,
    deletion: z.union([sha256, z.enum(['missing', 'refused'])]),
  }),
  z.strictObject({
    type: z.literal('release-requested'),
    request: idOf('release'),
    device: idOf('device'),
    digests: z.array(sha256).max(MOST_RELEASED),
  }),
  /** `word`: digest of the statement that the owner signed. */
  z.strictObject({
    type: z.literal('release-decided'),
    request: idOf('release'),
    decision: z.enum(['released', 'refused']),
    word: sha256,
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('release-rule-added'), word: sha256, device: idOf('device') }),
  z.strictObject({ type: z.literal('release-ended'), word: sha256, end: sha256, device: idOf('device') }),
  /** Something was handed out, or kept closed; `receipt`: digest of the custodian's signed account of it. */
  z.strictObject({
    type: z.literal('opening-decided'),
    kind: releaseReceipt.shape.kind,
    decision: releaseReceipt.shape.decision,
    job: job.nullable(),
    device: idOf('device').nullable(),
    receipt: sha256,
  }),
  /** The organisation's and the project's key changed, by whose device; `version` is the project's. */
  z.strictObject({
    type: z.literal('kek-changed'),
    cause: z.enum(['rotated', 'imported', 'moved']),
    version: whole(1, 1_000_000),
    device: idOf('device'),
  }),
  /** All data keys lie under this version of the project's key; those before it are destroyed. */
  z.strictObject({
    type: z.literal('kek-rewrapped'),
    version: whole(1, 1_000_000),
    keys: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  /** A project's or the organisation's keys are destroyed; the digest of the signed word. */
  z.strictObject({
    type: z.literal('kek-shredded'),
    kind: z.enum(['project', 'organisation']),
    tombstone: sha256,
    device: idOf('device'),
  }),
  /** A witness found that a log contradicts itself, its earlier word, or a journal; `evidence` is the digest of what it has against it. */
  z.strictObject({
    type: z.literal('log-accused'),
    witness: z.union([idOf('agent'), idOf('custodian')]),
    fault: z.enum(LOG_FAULTS),
    index: whole(0, Number.MAX_SAFE_INTEGER),
    evidence: sha256,
  }),
  /** A copy of a contract with another signature, or the first; `signed`: how many parties have. */
  z.strictObject({
    type: z.literal('contract-kept'),
    contract: sha256,
    signed: whole(0, MOST_PARTIES),
    parties: whole(1, MOST_PARTIES),
    device: idOf('device'),
  }),
  /** The digest of the party's signed word; `device` handed it in. */
  z.strictObject({
    type: z.literal('contract-withdrawn'),
    contract: sha256,
    party: idOf('org'),
    withdrawal: sha256,
    device: idOf('device'),
  }),
  /** An agent may join a round of a federation. */
  z.strictObject({ type: z.literal('round-allowed'), ...run, contract: sha256, round: roundNumber }),
  z.strictObject({
    type: z.literal('round-reported'),
    ...run,
    contract: sha256,
    round: roundNumber,
    outcome: z.enum(['summed', 'aborted']),
  }),
  z.strictObject({
    type: z.literal('federation-paused'),
    contract: sha256,
    paused: z.boolean(),
    /** Absent where the custodian paused it after too many aborted rounds. */
    device: idOf('device').optional(),
  }),
  /** What may be lost of a dataset, its epsilon and delta in decimals. */
  z.strictObject({
    type: z.literal('privacy-budget-set'),
    artifact: idOf('artifact'),
    unit: z.enum(['record', 'person', 'organisation']),
    epsilon: positiveDecimal,
    delta: positiveDecimal,
    device: idOf('device'),
  }),
  /** More may be lost than was promised, or what was lost before a restore is settled; `statement`: the digest of the signed word. */
  z.strictObject({
    type: z.literal('privacy-word-kept'),
    artifact: idOf('artifact'),
    unit: z.enum(['record', 'person', 'organisation']),
    epsilon: positiveDecimal,
    delta: positiveDecimal,
    settles: z.boolean(),
    statement: sha256,
    device: idOf('device'),
  }),
  /** A round may begin: what it takes is spent. */
  z.strictObject({ type: z.literal('privacy-debited'), ...round, grade: z.enum(['enforced', 'declared']) }),
  z.strictObject({
    type: z.literal('privacy-refused'),
    ...round,
    reasons: z.array(z.enum(DEBIT_REASONS)).max(DEBIT_REASONS.length),
  }),
  /** A dataset was used and nothing was counted: a round without noise, or a start of a job. */
  z.strictObject({
    type: z.literal('privacy-uncounted'),
    ...use,
    contract: sha256.optional(),
    round: roundNumber.optional(),
  }),
  /** Of every dataset it is not known any more what was done before. */
  z.strictObject({ type: z.literal('privacy-doubted'), cause: z.enum(['restored', 'rolled-back']) }),
  z.strictObject({
    type: z.literal('contract-only-set'),
    artifact: idOf('artifact'),
    on: z.boolean(),
    device: idOf('device'),
  }),
  z.strictObject({ type: z.literal('job-closed'), job, state: z.enum(['failed', 'cancelled']) }),
]);

/** One event of the custodian's ledger. */
export type CustodianEvent = z.infer<typeof custodianEvent>;
