import type { Digest } from '@ringfence/crypto/sign';
import { idOf, moment, sha256, whole } from '@ringfence/protocol';
import { FRAME_REFUSALS } from '@ringfence/protocol/frames';
import { z } from 'zod';

/** Version of the journal that this release writes. */
export const JOURNAL_FORMAT = 1;

/** Why a connection ended, as a party's journal names it. */
export const DISCONNECT_CODES = [...FRAME_REFUSALS, 'closed', 'goodbye', 'timed-out', 'failed', 'stopped'] as const;

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

/** Every record that a journal holds; docs/protocol/control-link.md, "Journal". */
export const journalRecord = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('start'),
    format: z.literal(JOURNAL_FORMAT),
    role: z.enum(['agent', 'custodian']),
    party: z.union([idOf('agent'), idOf('custodian')]),
    org: idOf('org'),
    link: idOf('controlPlane'),
  }),
  z.strictObject({ ...common, kind: z.literal('open'), conn, frame: z.base64() }),
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
