import { bucketMs, checkpointInterval } from '@ringfence/policy/spot';
import type { AttemptWork } from '../attempt/attempt-work.ts';

/** What a checkpoint is believed to cost before one was measured. */
const BELIEVED_COST_MS = 10_000;
/** Counted losses are those of the past. */
const LONGEST_MS = 3_600_000;

/**
 * How much work to do between two checkpoints that cost `costMs` each, in milliseconds, where attempts are lost as often as the receipt of this
 * one says; undefined where it says nothing of that, as of an organisation's own machines.
 */
export function checkpointEvery(
  { admission }: Pick<AttemptWork, 'admission'>,
  costMs = BELIEVED_COST_MS,
): number | undefined {
  const lossEvery = admission?.receipt.body.lossEvery;
  if (lossEvery === undefined) return undefined;
  return Math.min(LONGEST_MS, checkpointInterval({ costMs, mtbfMs: bucketMs(lossEvery) }));
}
