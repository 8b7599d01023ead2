import { attemptNumber, idOf, isolation, sensitivity, sha256, tier, whole } from '@ringfence/protocol';
import { ENTRY_KINDS, GRANT_REFUSALS } from '@ringfence/protocol/payload';
import { namedAttempts, OUTCOMES } from '@ringfence/protocol/statements';
import { z } from 'zod';

const job = idOf('job');
const run = { job, attempt: attemptNumber, agent: idOf('agent') };

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
  z.strictObject({
    type: z.literal('agent-locked'),
    agent: idOf('agent'),
    reason: z.enum(['fork', 'removed', 'incident']),
  }),
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
  z.strictObject({ type: z.literal('profile-set'), profile: sha256, device: idOf('device') }),
  z.strictObject({ type: z.literal('policy-set'), policy: sha256, device: idOf('device') }),
  z.strictObject({ type: z.literal('checkpointed'), ...run, manifest: sha256 }),
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
  z.strictObject({ type: z.literal('job-closed'), job, state: z.enum(['failed', 'cancelled']) }),
]);

/** One event of the custodian's ledger. */
export type CustodianEvent = z.infer<typeof custodianEvent>;
