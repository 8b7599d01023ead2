import type { Rng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { pickRows, rowCount, type Examples } from './examples.ts';
import { shuffled } from './sampling.ts';

/** Rows to train on, and others to test with. */
export interface HeldOut {
  readonly examples: Examples;
  readonly heldOut: Examples;
}

/** Parts rows at random: `share` of them, in (0, 1), is held out; at least one row is on each side. The same `rng` parts alike. Throws FlError `bad-data` for fewer than two rows. */
export function holdOut(examples: Examples, share: number, rng: Rng): HeldOut {
  const count = rowCount(examples);
  if (count < 2) throw new FlError('bad-data', 'of fewer than two rows none can be held out');
  const held = Math.min(count - 1, Math.max(1, Math.round(share * count)));
  const order = shuffled(count, rng);
  return {
    examples: pickRows({ examples, picks: order.subarray(held).toSorted() }),
    heldOut: pickRows({ examples, picks: order.subarray(0, held).toSorted() }),
  };
}
