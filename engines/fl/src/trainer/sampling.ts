import { randomBelow, type Rng } from '@ringfence/base';

const WHOLE = 2 ** 32;

/** Which of `count` rows are in a Poisson sample: each on its own with probability `rate`, to 2^−32. */
export function poissonSample(count: number, rate: number, rng: Rng): Uint32Array {
  const limit = Math.floor(rate * WHOLE);
  const bytes = rng.bytes(4 * count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const picks: number[] = [];
  for (let row = 0; row < count; row += 1) if (view.getUint32(4 * row) < limit) picks.push(row);
  return Uint32Array.from(picks);
}

/** The numbers from 0 to `count` − 1 in random order (Fisher and Yates). */
export function shuffled(count: number, rng: Rng): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = randomBelow(rng, last + 1);
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}
