import type { Digest } from '@ringfence/crypto/sign';
import { idOf, moment, sha256, whole } from '@ringfence/protocol';
import { FRAME_REFUSALS } from '@ringfence/protocol/frames';
import { z } from 'zod';

/** Version of the journal that this release writes. */
export const JOURNAL_FORMAT = 2;

/** Why a connection ended, as a party's journal names it. */
const DISCONNECT_CODES = [...FRAME_REFUSALS, 'closed', 'goodbye', 'timed-out', 'failed', 'stopped', 'renewed'] as const;

/** One of {@link DISCONNECT_CODES}. */
export type DisconnectCode = (typeof DISCONNECT_CODES)[number];

const safe = whole(0, Number.MAX_SAFE_INTEGER);
const positive = whole(1, Number.MAX_SAFE_INTEGER);
const frameBytes = z.union([z.literal(512), z.literal(2_048), z.literal(8_192)]);
/** Canonical JSON; the message schemas or the party itself give it its meaning. */
const json = z.record(z.string(), z.json());
const queued = z.strictObject({ mid: positive, number: whole(0, 0xffff), body: json });

const common = { seq: positive, t: moment, hash_prev: sha256, hash: sha256 };
const conn = z.string().regex(/^[0-9a-f]{16}$/);
const dir = z.enum(['in', 'out']);
const endpoint = z.string().regex(/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]):\d{1,5}$/);
const owner = {
  role: z.enum(['agent', 'custodian']),
  party: z.union([idOf('agent'), idOf('custodian')]),
  org: idOf('org'),
  link: idOf('controlPlane'),
  /** Commitment to the seed that handshakes are derived from. */
  seed: sha256.optional(),
};

/** Every record that a journal holds; docs/protocol/control-link.md, "Journal". */
export const journalRecord = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('start'),
    format: z.union([z.literal(1), z.literal(JOURNAL_FORMAT)]),
    ...owner,
  }),
  z.strictObject({
    ...common,
    kind: z.literal('dial'),
    to: z.string().regex(/^[\x21-\x7e]{1,260}$/),
    via: z.enum(['direct', 'proxy']),
    local: endpoint,
    remote: endpoint,
  }),
  z.strictObject({ ...common, kind: z.literal('hangup'), dial: positive, in: safe, out: safe }),
  z.strictObject({ ...common, kind: z.literal('open'), conn, frame: z.base64(), dial: positive.optional() }),
  z.strictObject({ ...common, kind: z.literal('accept'), conn, frame: z.base64(), transcript: sha256 }),
  z.strictObject({
    ...common,
    kind: z.literal('frame'),
    conn,
    dir,
    n: safe,
    number: whole(0, 0xffff),
    mid: safe,
    body: json,
    sig: z.base64().length(88).optional(),
    size: frameBytes,
    wire: sha256,
  }),
  z.strictObject({
    ...common,
    kind: z.literal('refused'),
    conn,
    dir: z.literal('in'),
    size: safe,
    wire: sha256,
    code: z.enum(FRAME_REFUSALS),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('disconnect'),
    conn,
    in: safe,
    out: safe,
    code: z.enum(DISCONNECT_CODES),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('checkpoint'),
    ...owner,
    opened: safe,
    received: safe,
    queued: safe,
    acknowledged: safe,
    unacknowledged: z.array(queued),
    budget: z.strictObject({ tokens: whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), at: safe }),
    sig: z.base64().length(88),
  }),
  z.strictObject({ ...common, kind: z.literal('queue'), queue: z.array(queued).min(1).max(64) }),
  z.strictObject({
    ...common,
    kind: z.literal('fact'),
    name: z.string().regex(/^[a-z][a-z-]{0,39}$/),
    body: json,
    of: positive.optional(),
    queue: z.array(queued).min(1).max(64).optional(),
  }),
]);

/** One record of a journal. */
export type JournalRecord = z.infer<typeof journalRecord>;
/** The kinds of records. */
export type JournalKind = JournalRecord['kind'];
/** The record of kind `Kind`. */
export type JournalRecordOf<Kind extends JournalKind> = Extract<JournalRecord, { kind: Kind }>;
/** What a writer gives; sequence, time and hashes are added. */
export type JournalFields = { [Kind in JournalKind]: Omit<JournalRecordOf<Kind>, keyof typeof common> }[JournalKind];
/** A durable message that waits for its acknowledgement. */
export type QueuedMessage = z.infer<typeof queued>;

/** Where a journal stands: how many records it has, the hash of the last, and its time (milliseconds). */
export interface JournalHead {
  readonly seq: number;
  readonly hash: Digest;
  readonly t: number;
}

/** The head of a journal without records. */
export const EMPTY_JOURNAL: JournalHead = { seq: 0, hash: '0'.repeat(64) as Digest, t: 0 };
