import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the segment that is written to, within a journal's folder. */
export const JOURNAL_NAME = 'journal.jsonl';
/** Its successor while it is being made. */
export const DRAFT_NAME = 'journal.next.tmp';

const CLOSED = /^journal-(\d{16})\.(jsonl|folded\.jsonl|folded\.jsonl\.gz|steps\.jsonl)$/;
const SUFFIXES = {
  /** As it was written. */
  raw: 'jsonl',
  /** Runs of heartbeats folded. */
  folded: 'folded.jsonl',
  /** The same, compressed. */
  packed: 'folded.jsonl.gz',
  /** The party's own steps, and where they lie: what is left when a retention setting removes the rest. */
  steps: 'steps.jsonl',
} as const;

/** In which form a closed segment lies in the folder. */
export type SegmentForm = keyof typeof SUFFIXES;

/** A closed segment: the number of its first record, and the forms of it that are there. */
export interface ClosedSegment {
  readonly first: number;
  readonly forms: ReadonlySet<SegmentForm>;
}

/** Path of one form of the closed segment that begins with record `first`. */
export function segmentPath(folder: string, first: number, form: SegmentForm): string {
  return join(folder, `journal-${String(first).padStart(16, '0')}.${SUFFIXES[form]}`);
}

/** The closed segments of a folder, oldest first. */
export function closedSegments(folder: string): ClosedSegment[] {
  const found = new Map<number, Set<SegmentForm>>();
  for (const name of readdirSync(folder)) {
    const [, digits, suffix] = CLOSED.exec(name) ?? [];
    const form = (Object.keys(SUFFIXES) as SegmentForm[]).find((known) => SUFFIXES[known] === suffix);
    if (digits === undefined || form === undefined) continue;
    const forms = found.get(Number(digits)) ?? new Set();
    found.set(Number(digits), forms.add(form));
  }
  return Array.from(found, ([first, forms]) => ({ first, forms })).toSorted((a, b) => a.first - b.first);
}
