import type { EpochMs } from '@ringfence/base';
import type { Amounts } from './amounts.ts';
import type { QueueId } from './queue-terms.ts';
import type { QueueTree } from './queue-tree.ts';

/** Amounts that run, or would, in a queue until `endsBy` at the latest. */
export interface TimedAmounts {
  readonly queue: QueueId | undefined;
  readonly amounts: Amounts;
  readonly endsBy: number;
}

/** Amounts that are kept for a job which lacks them: when it can have them at the latest, and what runs then, itself included. */
export interface HeldAmount {
  readonly at: number;
  readonly tree: QueueTree;
}

/**
 * The earliest moment at which what runs will have ended enough for `job` to start, as far as longest runs say; undefined when it could not
 * even if nothing ran. (EASY backfill, Lifka 1995, over queues' amounts instead of a machine's.)
 */
export function holdAmount(
  tree: QueueTree,
  { queue, amounts }: Pick<TimedAmounts, 'queue' | 'amounts'>,
  { running, now }: { readonly running: readonly TimedAmounts[]; readonly now: EpochMs },
): HeldAmount | undefined {
  const later = tree.copy();
  let at: number = now;
  const ending = running.toSorted((a, b) => a.endsBy - b.endsBy);
  for (const end of ending) {
    // All that end at one moment end before anybody looks.
    if (end.endsBy > at && later.lacks(queue, amounts).length === 0) break;
    later.release(end.queue, end.amounts);
    at = Math.max(at, end.endsBy);
  }
  if (later.lacks(queue, amounts).length > 0) return undefined;
  later.charge(queue, amounts);
  return { at, tree: later };
}

/** Whether a job may start now without keeping the one for which amounts are held from starting in time. */
export function mayPass({ at, tree }: HeldAmount, { queue, amounts, endsBy }: TimedAmounts): boolean {
  return endsBy <= at || tree.lacks(queue, amounts).length === 0;
}

/** Notes that such a job started. */
export function notePassed({ at, tree }: HeldAmount, { queue, amounts, endsBy }: TimedAmounts): void {
  if (endsBy > at) tree.charge(queue, amounts);
}
