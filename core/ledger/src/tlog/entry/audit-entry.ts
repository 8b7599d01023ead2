import { canonicalBytes, equalBytes, fromUtf8 } from '@ringfence/base';
import { z } from 'zod';
import { LedgerError } from '../../ledger-error.ts';
import { parseSize } from '../tree/decimal-size.ts';
import { MOST_ENTRY_BYTES } from '../tree/merkle-hash.ts';

/** Who may act: a person, a program, or the platform itself. */
export const ACTOR_KINDS = [
  'agent',
  'control-plane',
  'custodian',
  'device',
  'job',
  'member',
  'officer',
  'service-account',
  'stranger',
] as const;

const code = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);
const id = z.string().regex(/^[a-z]{3}_[a-z2-7]{26}$/);
const handle = z.string().regex(/^[A-Za-z0-9_-]{22}$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const sealed = z.string().regex(/^[A-Za-z0-9_-]{224,5174}$/);

/** What happened, before it has a place in the log: ids, codes and numbers; whatever tells of a person is sealed under `subjects`. */
export const auditEvent = z.strictObject({
  v: z.literal(1),
  /** 128 random bits: no two entries have the same bytes. */
  id: handle,
  /** Milliseconds since 1970. */
  at: z.int().nonnegative(),
  org: id.nullable(),
  actor: z.strictObject({ kind: z.enum(ACTOR_KINDS), id: id.nullable() }),
  action: code,
  outcome: z.enum(['allowed', 'refused', 'done', 'failed']),
  reasons: z.array(code).max(16),
  /** What it happened to. */
  objects: z.array(id).max(16),
  /** Digests of signed statements that it made or rests on: jobs, leases, grants, receipts, releases. */
  statements: z.array(digest).max(16),
  facts: z.record(code, z.union([z.int(), z.boolean(), code])),
  subjects: z.array(z.strictObject({ handle, sealed })).max(8),
});

const auditEntry = auditEvent.extend({ seq: z.int().nonnegative() });

/** An event that is to be logged. */
export type AuditEvent = z.infer<typeof auditEvent>;

/** An entry of an audit log: an event and its index. */
export type AuditEntry = z.infer<typeof auditEntry>;

/** The bytes that the tree hashes: canonical JSON. Throws LedgerError `bad-event` for an event that is not of the schema, or too long. */
export function entryBytes(event: AuditEvent, seq: number): Uint8Array {
  const parsed = auditEntry.safeParse({ ...event, seq });
  if (!parsed.success) throw new LedgerError('bad-event', 'the event is none of an audit log', { cause: parsed.error });
  const bytes = canonicalBytes(parsed.data);
  if (bytes.length > MOST_ENTRY_BYTES) throw new LedgerError('bad-event', 'an entry has at most 65,535 bytes');
  return bytes;
}

/** The entry in `bytes`, in its one spelling; undefined when they are none. */
export function readAuditEntry(bytes: Uint8Array): AuditEntry | undefined {
  try {
    const parsed = auditEntry.safeParse(JSON.parse(fromUtf8(bytes)));
    return parsed.success && equalBytes(canonicalBytes(parsed.data), bytes) ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const BEFORE_SEQ = Buffer.from(',"seq":');
const BEHIND_SEQ = Buffer.from(',"statements":[');

/**
 * The index that an entry says it has, ten times as fast as reading it all; undefined where none stands in its place. In an
 * entry of the schema nothing but the member itself looks like that: facts hold no lists, and codes no quotes.
 */
export function claimedIndex(bytes: Uint8Array): number | undefined {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = entry.indexOf(BEHIND_SEQ);
  const start = end < 0 ? -1 : entry.lastIndexOf(BEFORE_SEQ, end);
  return start < 0 ? undefined : parseSize(entry.toString('latin1', start + BEFORE_SEQ.length, end));
}
