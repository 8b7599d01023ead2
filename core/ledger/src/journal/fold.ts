import { canonicalJson } from '@ringfence/base';
import { FoldMemory, foldLine, folds, MOST_FOLDED, type FoldedFrame } from './fold-line.ts';
import { judgeRecord, LONGEST_LINE, recordHash, type JournalFault } from './journal-chain.ts';
import type { JournalHead, JournalRecord, JournalRecordOf } from './journal-record.ts';

/** So far below the longest line that one more frame always fits. */
const FULL_LINE = LONGEST_LINE - 32_768;

/** The records that a fold stands for, or why they are no continuation of a journal. */
export type Unfolded =
  | { readonly ok: true; readonly records: readonly JournalRecord[]; readonly head: JournalHead }
  | { readonly ok: false; readonly code: JournalFault; readonly seq: number };

/**
 * The lines (without newline) of these records, runs of heartbeats, renewals and acknowledgements folded into one line each. Nothing is
 * lost: {@link unfold} gives the same records with the same hashes again.
 */
export function* foldLines(records: Iterable<JournalRecord>): Generator<string> {
  let run: Run | undefined;
  for (const record of records) {
    if (record.kind === 'frame' && run?.take(record) === true) continue;
    if (run !== undefined) yield run.line();
    run = record.kind === 'frame' && folds(record) ? new Run(record) : undefined;
    if (run === undefined) yield canonicalJson(record);
  }
  if (run !== undefined) yield run.line();
}

/** Frames that fold into one line. */
class Run {
  readonly #first: JournalRecordOf<'frame'>;
  #last: JournalRecordOf<'frame'>;
  readonly #memory: FoldMemory;
  readonly #frames: FoldedFrame[] = [];
  readonly #from: { in: number; out: number } = { in: 0, out: 0 };
  readonly #seen = new Set<'in' | 'out'>();
  #bytes = 0;

  constructor(first: JournalRecordOf<'frame'>) {
    this.#first = first;
    this.#last = first;
    this.#memory = new FoldMemory(first.conn);
    this.take(first);
  }

  /** False when the record does not fold into this line. */
  take(record: JournalRecordOf<'frame'>): boolean {
    if (this.#frames.length >= MOST_FOLDED || this.#bytes > FULL_LINE || record.t < this.#last.t) return false;
    const frame = this.#memory.shorten(record, record.t - this.#last.t);
    if (frame === undefined) return false;
    if (!this.#seen.has(record.dir)) this.#from[record.dir] = record.n;
    this.#seen.add(record.dir);
    this.#frames.push(frame);
    this.#bytes += canonicalJson(frame).length;
    this.#last = record;
    return true;
  }

  /** A fold; a frame alone stays as it is. */
  line(): string {
    const { conn, seq, t, hash_prev } = this.#first;
    if (this.#frames.length < 2) return canonicalJson(this.#first);
    const { hash } = this.#last;
    return canonicalJson({ kind: 'fold', conn, seq, t, hash_prev, hash, ...this.#from, frames: this.#frames });
  }
}

/** Whether a line that was parsed is a fold. */
export function isFold(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'kind' in json && json.kind === 'fold';
}

/** Writes out the records of a fold and checks that they continue a journal at `head` and end in the hash that the fold names. */
export function unfold(head: JournalHead, json: unknown): Unfolded {
  const parsed = foldLine.safeParse(json);
  if (!parsed.success) return { ok: false, code: 'schema', seq: head.seq + 1 };
  const { conn, seq, t: first, hash_prev, hash, frames, ...next } = parsed.data;
  if (hash_prev !== head.hash) return { ok: false, code: 'chain', seq: head.seq + 1 };
  if (seq !== head.seq + 1) return { ok: false, code: 'sequence', seq: head.seq + 1 };
  const memory = new FoldMemory(conn, next);
  const records: JournalRecord[] = [];
  let at = head;
  let t: number = first;
  for (const frame of frames) {
    const fields = memory.expand(frame);
    t += frame.d;
    if (fields === undefined) return { ok: false, code: 'schema', seq: at.seq + 1 };
    const record = { ...fields, seq: at.seq + 1, t, hash_prev: at.hash };
    const read = judgeRecord(at, { ...record, hash: recordHash(record) });
    if (!read.ok) return { ok: false, code: read.code, seq: at.seq + 1 };
    records.push(read.record);
    at = read.head;
  }
  return at.hash === hash ? { ok: true, records, head: at } : { ok: false, code: 'hash', seq: at.seq };
}
