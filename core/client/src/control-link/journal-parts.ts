import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JournalReader, type JournalHead, type JournalRecord } from '@ringfence/ledger';
import { ClientError } from '../error.ts';
import { piecesOf } from './segment-lines.ts';
import { closedSegments, JOURNAL_NAME, segmentPath } from './segment-names.ts';
import { endOf, readSteps, type SegmentSummary } from './segment-steps.ts';

/** What is there of a journal: a beginning of it may have been removed. */
export interface JournalParts {
  /** Segments of which only the steps are left, oldest first. */
  readonly removed: readonly SegmentSummary[];
  /** Files to read one after the other; the first begins with a start or, behind removed segments, with a checkpoint. */
  readonly files: readonly string[];
}

/** The files of the journal in `folder`; throws ClientError `broken-steps` when a segment in the middle is missing. */
export function journalParts(folder: string): JournalParts {
  const removed: SegmentSummary[] = [];
  const files: string[] = [];
  const active = join(folder, JOURNAL_NAME);
  const writing = existsSync(active) ? statSync(active).ino : undefined;
  for (const { first, forms } of closedSegments(folder)) {
    const form = (['folded', 'packed', 'raw'] as const).find((present) => forms.has(present));
    const path = form === undefined ? undefined : segmentPath(folder, first, form);
    // A crash can leave two names for the file that is written to.
    if (path !== undefined && form === 'raw' && statSync(path).ino === writing) continue;
    if (path !== undefined) files.push(path);
    else if (files.length > 0) throw gap();
    else removed.push(readSteps(segmentPath(folder, first, 'steps')).summary);
  }
  return { removed, files: writing === undefined ? files : [...files, active] };
}

/**
 * All records of these parts, checked as one chain. Whoever writes the journal may be writing its next line, or be closing a segment,
 * meanwhile. Throws LedgerError `broken-journal`.
 */
export function* journalLines({ removed, files }: JournalParts): Generator<JournalRecord> {
  let head = removedHead(removed);
  for (const file of files) {
    const reader: JournalReader = new JournalReader(head);
    for (const piece of piecesOf(file)) for (const { record } of reader.read(piece)) yield record;
    reader.end();
    head = reader.head;
  }
}

function removedHead(removed: readonly SegmentSummary[]): JournalHead | undefined {
  const last = removed.at(-1);
  return last === undefined ? undefined : endOf(last);
}

function gap(): ClientError {
  return new ClientError('broken-steps', 'a segment in the middle of the journal is missing', {
    next: 'restore it from a backup: retention removes the oldest segments first',
  });
}
