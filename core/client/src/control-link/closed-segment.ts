import { rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { syncFolder } from '@ringfence/base/platform';
import { foldLines, JournalReader, type JournalRecord } from '@ringfence/ledger';
import { DraftFile, piecesOf } from './segment-lines.ts';
import { segmentPath, type ClosedSegment } from './segment-names.ts';
import { StepCollector } from './segment-steps.ts';

/** Steps at which tests let a process die; docs/protocol/control-link.md, "Segments". */
export const SEGMENT_FAULTS = [
  'segment-drafted',
  'segment-linked',
  'segment-begun',
  'steps-written',
  'segment-folded',
  'segment-packed',
] as const;
/** Called at each of {@link SEGMENT_FAULTS}. */
export type SegmentFault = (point: (typeof SEGMENT_FAULTS)[number]) => void;

/** So many lines are folded between two pauses. */
const LINES_AT_ONCE = 256;

/** The records of a closed segment in whichever form is there; none when only its steps are left. Throws LedgerError `broken-journal`. */
export function* segmentRecords(folder: string, { first, forms }: ClosedSegment): Generator<JournalRecord> {
  const form = (['folded', 'packed', 'raw'] as const).find((present) => forms.has(present));
  if (form === undefined) return;
  const reader = new JournalReader(first === 1 ? undefined : 'checkpoint');
  for (const piece of piecesOf(segmentPath(folder, first, form)))
    for (const { record } of reader.read(piece)) yield record;
  reader.end();
}

/**
 * Writes the steps of a closed segment and folds it, pausing wherever it yields; begun anew after a crash, it comes to
 * the same end.
 */
export function* finishSegment(folder: string, segment: ClosedSegment, fault: SegmentFault): Generator<void> {
  const { first, forms } = segment;
  if (!forms.has('raw')) return forms.has('steps') ? undefined : restoreSteps(folder, segment);
  const raw = segmentPath(folder, first, 'raw');
  if (!forms.has('folded') && !forms.has('packed')) yield* fold(folder, segment, fault);
  rmSync(raw, { force: true });
  syncFolder(folder);
}

function* fold(folder: string, { first }: ClosedSegment, fault: SegmentFault): Generator<void> {
  const raw: ClosedSegment = { first, forms: new Set(['raw']) };
  const collector = new StepCollector();
  using folded = new DraftFile(segmentPath(folder, first, 'folded'));
  let lines = 0;
  for (const line of foldLines(collecting(segmentRecords(folder, raw), collector))) {
    folded.write(`${line}\n`);
    lines += 1;
    if (lines % LINES_AT_ONCE === 0) yield;
  }
  writeSteps(folder, first, collector);
  fault('steps-written');
  folded.place();
  syncFolder(folder);
  fault('segment-folded');
}

function restoreSteps(folder: string, segment: ClosedSegment): void {
  const collector = new StepCollector();
  for (const record of segmentRecords(folder, segment)) collector.take(record);
  writeSteps(folder, segment.first, collector);
}

function writeSteps(folder: string, first: number, collector: StepCollector): void {
  using steps = new DraftFile(segmentPath(folder, first, 'steps'));
  for (const line of collector.lines()) steps.write(`${line}\n`);
  steps.place();
  syncFolder(folder);
}

function* collecting(records: Iterable<JournalRecord>, collector: StepCollector): Generator<JournalRecord> {
  for (const record of records) {
    collector.take(record);
    yield record;
  }
}

/** Compresses a folded segment. */
export function packSegment(folder: string, first: number, fault: SegmentFault): void {
  const folded = segmentPath(folder, first, 'folded');
  using packed = new DraftFile(segmentPath(folder, first, 'packed'));
  packed.write(gzipSync(Buffer.concat([...piecesOf(folded)])));
  packed.place();
  syncFolder(folder);
  fault('segment-packed');
  rmSync(folded, { force: true });
  syncFolder(folder);
}
