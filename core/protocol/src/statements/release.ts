import { z } from 'zod';
import { attemptNumber, bytes32, idOf, moment, sha256, whole } from '../fields.ts';

/** What may be opened outside the boundary of its data, each by a word of its own in a standing rule. */
export const OPENING_KINDS = ['artifact', 'logs', 'metrics', 'exec', 'copy', 'endpoint', 'endpoint-token'] as const;

/** The most objects of one request. */
export const MOST_RELEASED = 64;

const v = z.literal(1);
/** A purpose as labels of datasets name it. */
export const purposeWord = z.string().regex(/^[a-z0-9-]{1,64}$/);

/** To whom something is released: an organisation, or these devices of it. */
export const recipients = z.strictObject({
  org: idOf('org'),
  devices: z.array(idOf('device')).min(1).max(64).optional(),
});

/** An owner's decision on a request: these digests of manifests, for this purpose, to these recipients. */
export const releaseStatement = z.strictObject({
  v,
  org: idOf('org'),
  device: idOf('device'),
  request: idOf('release'),
  decision: z.enum(['released', 'refused']),
  digests: z.array(sha256).min(1).max(MOST_RELEASED),
  purpose: purposeWord,
  recipients,
  at: moment,
  notAfter: moment,
});

/** Of which data a standing rule speaks: a dataset, in whatever is made of it, or what one job makes. */
export const ruleScope = z.union([z.strictObject({ dataset: idOf('artifact') }), z.strictObject({ job: idOf('job') })]);

/** An owner's standing rule. */
export const releaseRuleStatement = z
  .strictObject({
    v,
    org: idOf('org'),
    device: idOf('device'),
    rule: idOf('release'),
    scope: ruleScope,
    kinds: z.array(z.enum(OPENING_KINDS)).min(1).max(OPENING_KINDS.length),
    /** What the job was launched for; of any purpose, or none, when absent. */
    purposes: z.array(purposeWord).min(1).max(32).optional(),
    recipients,
    /** Of one object; what has no size yet, as a stream, is then not opened. */
    mostBytes: whole(1, Number.MAX_SAFE_INTEGER).optional(),
    /** How often it opens something, in all. */
    mostOpenings: whole(1, 1_000_000).optional(),
    at: moment,
    notAfter: moment,
  })
  .refine(
    ({ kinds, mostOpenings }) => mostOpenings === undefined || !kinds.some((kind) => kind.startsWith('endpoint')),
    {
      error: 'calls of an endpoint are not counted by the custodian',
    },
  );

/** A release or a rule counts no more. */
export const releaseEndStatement = z.strictObject({
  v,
  org: idOf('org'),
  device: idOf('device'),
  /** Digest of the statement that ends. */
  word: sha256,
  at: moment,
});

/** Why a source keeps something closed. */
export const OPENING_REASONS = [
  'no-word',
  'refused',
  'expired',
  'other-recipient',
  'other-kind',
  'other-purpose',
  'too-large',
  'used-up',
] as const;

/** The custodian's account of one decision: what was asked for, by whom, the words that opened it or the reasons that kept it closed. */
export const releaseReceipt = z.strictObject({
  v,
  org: idOf('org'),
  custodian: idOf('custodian'),
  kind: z.enum([...OPENING_KINDS, 'sealed-log', 'review']),
  job: idOf('job').nullable(),
  attempt: attemptNumber.optional(),
  /** Of the manifest, where there is one. */
  digest: sha256.optional(),
  /** None for callers with a token. */
  device: idOf('device').nullable(),
  decision: z.enum(['opened', 'kept-closed']),
  words: z.array(sha256).max(256),
  reasons: z
    .array(z.strictObject({ source: z.union([idOf('artifact'), idOf('job')]), reason: z.enum(OPENING_REASONS) }))
    .max(256),
  salt: bytes32,
  at: moment,
});

export type OpeningKind = (typeof OPENING_KINDS)[number];
export type OpeningReason = (typeof OPENING_REASONS)[number];
export type Recipients = z.infer<typeof recipients>;
export type RuleScope = z.infer<typeof ruleScope>;
export type ReleaseStatement = z.infer<typeof releaseStatement>;
export type ReleaseRuleStatement = z.infer<typeof releaseRuleStatement>;
export type ReleaseEndStatement = z.infer<typeof releaseEndStatement>;
export type ReleaseReceipt = z.infer<typeof releaseReceipt>;
