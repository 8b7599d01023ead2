import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ClientError } from '../error.ts';
import type { Digest } from '@ringfence/crypto/sign';
import { EMPTY_JOURNAL, type JournalHead, type JournalRecord } from '@ringfence/ledger';
import { finishSegment, packSegment, segmentRecords, type SegmentFault } from './closed-segment.ts';
import { closedSegments, DRAFT_NAME, JOURNAL_NAME, segmentPath, type ClosedSegment } from './segment-names.ts';
import { endOf, readSteps, type SegmentSteps } from './segment-steps.ts';

/** How long closed segments of a journal are kept; milliseconds, and for ever unless told. */
export interface JournalRetention {
  /** Compress segments whose last record is older. */
  readonly packAfter?: number | undefined;
  /** Remove segments whose last record is older, all but the party's own steps. */
  readonly keepFor?: number | undefined;
}

/** The closed segments of one journal. */
export class ClosedPart {
  readonly #folder: string;
  readonly #fault: SegmentFault;
  readonly #segments = new Map<number, SegmentSteps>();

  /** Clears away what a crash left half done, and reads the steps of all closed segments. Throws ClientError `broken-steps`, LedgerError. */
  constructor(folder: string, fault: SegmentFault) {
    this.#folder = folder;
    this.#fault = fault;
    undoClosing(folder);
    for (const segment of closedSegments(folder)) this.#finish(segment);
  }

  /** Where the journal stood at the end of the newest of them; undefined without any. */
  get end(): JournalHead | undefined {
    const newest = [...this.#segments.values()].at(-1);
    return newest === undefined ? undefined : endOf(newest.summary);
  }

  /** The party's own steps in all of them, oldest first. */
  *steps(): Generator<JournalRecord> {
    for (const { first, forms } of closedSegments(this.#folder)) {
      const known = this.#segments.get(first);
      if (known !== undefined) yield* known.steps;
      else if (forms.has('raw'))
        for (const record of this.#unfolded(first)) if (record.kind === 'fact' || record.kind === 'queue') yield record;
    }
  }

  /** The segment that begins with record `first` was closed: folds it, pausing wherever this yields. */
  *closed(first: number): Generator<void> {
    yield* finishSegment(this.#folder, { first, forms: new Set(['raw']) }, this.#fault);
    this.#segments.set(first, readSteps(segmentPath(this.#folder, first, 'steps')));
  }

  /** Hash of a record of a closed segment; undefined when it was removed and the control plane was never shown it. */
  hashAt(seq: number): Digest | undefined {
    const found = [...this.#segments.values()].find(({ summary }) => summary.first <= seq && seq <= summary.last);
    if (found === undefined) return this.#unfoldedHash(seq);
    const { summary } = found;
    if (seq === summary.last) return summary.hash;
    const point = summary.points.find((known) => known.seq === seq);
    if (point !== undefined) return point.hash;
    const segment = closedSegments(this.#folder).find(({ first }) => first === summary.first);
    if (segment === undefined) return undefined;
    for (const record of segmentRecords(this.#folder, segment)) if (record.seq === seq) return record.hash;
    return undefined;
  }

  /** Compresses and removes what is old enough at `now` (milliseconds since 1970). */
  retain({ packAfter, keepFor }: JournalRetention, now: number): void {
    for (const { first, forms } of closedSegments(this.#folder)) {
      const age = now - (this.#segments.get(first)?.summary.to ?? now);
      if (keepFor !== undefined && age > keepFor)
        for (const form of ['folded', 'packed'] as const)
          rmSync(segmentPath(this.#folder, first, form), { force: true });
      else if (packAfter !== undefined && age > packAfter && forms.has('folded'))
        packSegment(this.#folder, first, this.#fault);
    }
  }

  /** The records of a segment that was closed just now and still lies there as it was written, checked by this very process. */
  *#unfolded(first: number): Generator<JournalRecord> {
    for (const line of readFileSync(segmentPath(this.#folder, first, 'raw'), 'utf8')
      .trimEnd()
      .split('\n'))
      yield JSON.parse(line) as JournalRecord;
  }

  #unfoldedHash(seq: number): Digest | undefined {
    for (const { first, forms } of closedSegments(this.#folder)) {
      if (this.#segments.has(first) || !forms.has('raw')) continue;
      for (const record of this.#unfolded(first)) if (record.seq === seq) return record.hash;
    }
    return undefined;
  }

  #finish(segment: ClosedSegment): void {
    const { first } = segment;
    for (const _ of finishSegment(this.#folder, segment, this.#fault)) continue;
    const read = readSteps(segmentPath(this.#folder, first, 'steps'));
    const { end } = this;
    const { summary } = read;
    const begins = end ?? EMPTY_JOURNAL;
    if (summary.first !== begins.seq + 1 || summary.hash_prev !== begins.hash) throw missingSegment();
    this.#segments.set(first, read);
  }
}

/** A segment is closed by a second name for it and then a new file under the first one: a crash between the two is undone. */
function undoClosing(folder: string): void {
  rmSync(join(folder, DRAFT_NAME), { force: true });
  const active = join(folder, JOURNAL_NAME);
  if (!existsSync(active)) return;
  const { ino } = statSync(active);
  for (const { first, forms } of closedSegments(folder)) {
    const raw = segmentPath(folder, first, 'raw');
    if (forms.has('raw') && statSync(raw).ino === ino) rmSync(raw);
  }
}

function missingSegment(): ClientError {
  return new ClientError('broken-steps', 'a closed segment of the journal is missing', {
    next: 'restore its .steps.jsonl from a backup: a retention setting never removes that file',
  });
}
