import type { grantRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';

type Point = z.output<typeof grantRequest>['journal'];

/** What an agent shows of its own journal with a grant request. */
export interface ShownJournal {
  readonly journal: Point;
  readonly resume: Point | null;
}

/** Whether an agent's journal continues the one that the custodian saw last. */
export type JournalVerdict = { readonly kind: 'continues' | 'fork' } | { readonly kind: 'ask'; readonly seq: number };

/**
 * The custodian's own check for copied machines. `stored` is the point of the last request that was taken. Showing exactly that point again is
 * the same request sent twice. An agent that shows another record than `stored`'s is asked for that one; one that cannot
 * show it, or shows another hash there, is a copy, or was set back to an older disk.
 */
export function judgeJournal(stored: Point | null, { journal, resume }: ShownJournal): JournalVerdict {
  if (stored === null) return { kind: 'continues' };
  if (journal.seq === stored.seq) return { kind: journal.hash === stored.hash ? 'continues' : 'fork' };
  if (journal.seq < stored.seq || resume === null) return { kind: 'fork' };
  if (resume.seq !== stored.seq) return { kind: 'ask', seq: stored.seq };
  return { kind: resume.hash === stored.hash ? 'continues' : 'fork' };
}
