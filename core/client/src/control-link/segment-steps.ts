import { readFileSync } from 'node:fs';
import { canonicalJson, jsonOf } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { readKeptRecord, type JournalHead, type JournalRecord } from '@ringfence/ledger';
import { moment, sha256, whole } from '@ringfence/protocol';
import { journalPoint, MESSAGES } from '@ringfence/protocol/messages';
import { z } from 'zod';
import { ClientError } from '../error.ts';

const seq = whole(1, Number.MAX_SAFE_INTEGER);
const head = z.strictObject({
  v: z.literal(1),
  first: seq,
  last: seq,
  hash_prev: sha256,
  hash: sha256,
  /** Times of the first and the last record. */
  from: moment,
  to: moment,
  /** Connections that were opened in the segment. */
  conns: z.array(z.string().regex(/^[0-9a-f]{16}$/)),
  /** Points of the journal that the control plane was shown: it may ask for any of them again. */
  points: z.array(journalPoint),
});

/** Where a closed segment lies in its journal, and what a party needs of it when the segment itself is gone. */
export type SegmentSummary = z.infer<typeof head>;

/** A closed segment's summary with the party's own steps. */
export interface SegmentSteps {
  readonly summary: SegmentSummary;
  /** Facts and queued messages, in order. */
  readonly steps: readonly JournalRecord[];
}

/** Collects the steps of a segment, record by record. */
export class StepCollector {
  readonly #steps: JournalRecord[] = [];
  readonly #conns: string[] = [];
  readonly #points: { seq: number; hash: Digest }[] = [];
  #first: JournalRecord | undefined;
  #last: JournalRecord | undefined;

  /** Takes the next record. */
  take(record: JournalRecord): void {
    this.#first ??= record;
    this.#last = record;
    if (record.kind === 'fact' || record.kind === 'queue') this.#steps.push(record);
    if (record.kind === 'open') this.#conns.push(record.conn);
    if (record.kind !== 'frame' || record.dir !== 'out') return;
    if (record.number !== MESSAGES.hello.number && record.number !== MESSAGES.ack.number) return;
    const point = journalPoint.safeParse(record.body['journal']);
    if (point.success) this.#points.push(point.data);
  }

  /** The lines of the steps file; undefined for a segment without records. */
  *lines(): Generator<string> {
    if (this.#first === undefined || this.#last === undefined) return;
    const { seq: first, hash_prev, t: from } = this.#first;
    const { seq: last, hash, t: to } = this.#last;
    yield canonicalJson({ v: 1, first, last, hash_prev, hash, from, to, conns: this.#conns, points: this.#points });
    for (const step of this.#steps) yield canonicalJson(step);
  }
}

/** Reads a steps file; throws ClientError `broken-steps`. */
export function readSteps(path: string): SegmentSteps {
  const [first = '', ...rest] = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const parsed = head.safeParse(jsonOf(first));
  const steps = rest.map((line) => readKeptRecord(Buffer.from(line)));
  if (!parsed.success || steps.includes(undefined)) throw brokenSteps();
  return { summary: parsed.data, steps: steps.filter((step) => step !== undefined) };
}

/** Where the journal stood at the end of this segment. */
export function endOf({ last, hash, to }: SegmentSummary): JournalHead {
  return { seq: last, hash, t: to };
}

function brokenSteps(): ClientError {
  return new ClientError('broken-steps', 'a closed segment of the journal has a damaged file of steps', {
    next: 'if the segment is still there, delete its .steps.jsonl: it is written again at the next start',
  });
}
