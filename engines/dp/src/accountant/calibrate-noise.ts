import { DpError } from './dp-error.ts';
import { leastEpsilon } from './epsilon-of.ts';
import type { PrivacyEvent } from './privacy-event.ts';

/** What is to be reached. */
export interface CalibrationTarget {
  readonly epsilon: number;
  readonly delta: number;
}

/** Noise between which the least one is looked for. */
const [LEAST, MOST] = [2 ** -10, 2 ** 60];
/** How close to the least, relatively. */
const EXACTNESS = 1e-6;

/**
 * The least amount of noise with which events come to at most the target, to six digits and never below it: `eventsAt` says what happens with an amount of
 * noise of whatever kind (a sigma, a scale, a variance), the more of it the less is lost. Throws {@link DpError} `bad-target`, and `unreachable-target`
 * where even the most noise is too little.
 */
export function calibrateNoise(
  eventsAt: (noise: number) => readonly PrivacyEvent[],
  { epsilon, delta }: CalibrationTarget,
): number {
  if (!(epsilon > 0 && Number.isFinite(epsilon)))
    throw new DpError('bad-target', 'epsilon is a number above 0: no finite noise makes it 0');
  if (!(delta > 0 && delta < 1)) throw new DpError('bad-target', 'delta lies between 0 and 1');
  const isShort = (noise: number): boolean => leastEpsilon(eventsAt(noise), delta) > epsilon;
  let high = 1;
  while (isShort(high)) {
    high *= 2;
    if (high > MOST) throw new DpError('unreachable-target', 'no noise reaches this epsilon at this delta');
  }
  let low = high / 2;
  while (low >= LEAST && !isShort(low)) [low, high] = [low / 2, low];
  if (low < LEAST) return high;
  while (high - low > EXACTNESS * high) {
    const middle = (low + high) / 2;
    if (isShort(middle)) low = middle;
    else high = middle;
  }
  return high;
}
