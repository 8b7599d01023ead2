import { newId, seededRng, toHex } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { MESSAGES } from '@ringfence/protocol/messages';
import { appendRecord } from './journal-chain.ts';
import { EMPTY_JOURNAL, type JournalFields, type JournalHead } from './journal-record.ts';

const rng = seededRng('journal sample');
const digest = (): Digest => toHex(rng.bytes(32)) as Digest;
const run = { job: newId('job', rng), attempt: 1 };
const conn = '00112233aabbccdd';

/** Fields of one record of every kind, in an order that a journal may have. */
export const SAMPLE_FIELDS: readonly JournalFields[] = [
  {
    kind: 'start',
    format: 1,
    role: 'agent',
    party: newId('agent', rng),
    org: newId('org', rng),
    link: newId('controlPlane', rng),
  },
  {
    kind: 'queue',
    queue: [{ mid: 1, number: MESSAGES['attempt-status'].number, body: { ...run, state: 'accepted' } }],
  },
  { kind: 'open', conn, frame: Buffer.from(rng.bytes(2_048)).toString('base64') },
  { kind: 'accept', conn, frame: Buffer.from(rng.bytes(8_192)).toString('base64'), transcript: digest() },
  {
    kind: 'frame',
    conn,
    dir: 'in',
    n: 1,
    number: MESSAGES.stop.number,
    mid: 1,
    body: { ...run, graceMs: 5, reason: 'drain' },
    sig: Buffer.from(rng.bytes(64)).toString('base64'),
    size: 512,
    wire: digest(),
  },
  {
    kind: 'fact',
    name: 'stop-taken',
    body: { ...run, note: 'a\nline, "quotes", \\ and ü' },
    of: 1,
    queue: [{ mid: 2, number: MESSAGES['attempt-status'].number, body: { ...run, state: 'stopped' } }],
  },
  {
    kind: 'frame',
    conn,
    dir: 'out',
    n: 2,
    number: MESSAGES.ack.number,
    mid: 0,
    body: { mid: 1 },
    size: 512,
    wire: digest(),
  },
  { kind: 'refused', conn, dir: 'in', size: 512, wire: digest(), code: 'tag' },
  { kind: 'disconnect', conn, in: 9_216, out: 3_072, code: 'tag' },
];

/** A journal of these records, one more millisecond each. */
export function writtenJournal(fields: readonly JournalFields[] = SAMPLE_FIELDS): { text: Buffer; head: JournalHead } {
  let head = EMPTY_JOURNAL;
  let text = '';
  for (const record of fields) {
    const appended = appendRecord(head, record, 1_800_000_000_000 + head.seq);
    head = appended.head;
    text += `${appended.line}\n`;
  }
  return { text: Buffer.from(text), head };
}
