import { normalCdf, logErfc } from './normal.ts';

/** The delta of the Gaussian mechanism with sensitivity 1 and standard deviation `sigma` (Balle, Wang 2018, theorem 8). */
export function gaussianDelta(sigma: number, epsilon: number): number {
  const [left, right] = [0.5 / sigma - epsilon * sigma, -0.5 / sigma - epsilon * sigma];
  // e^epsilon may be too large for a double where the tail that it multiplies is too small for one.
  const weighed = Math.exp(epsilon + Math.log(0.5) + logErfc(-right * Math.SQRT1_2));
  return Math.max(0, normalCdf(left) - weighed);
}

/** The least epsilon ≥ 0 at which that mechanism is (epsilon, `delta`)-private. */
export function gaussianEpsilon(sigma: number, delta: number): number {
  if (gaussianDelta(sigma, 0) <= delta) return 0;
  let [low, high] = [0, 1];
  while (gaussianDelta(sigma, high) > delta) [low, high] = [high, high * 2];
  return bisect(low, high, (epsilon) => gaussianDelta(sigma, epsilon) > delta);
}

/** The least standard deviation for which it is (`epsilon`, `delta`)-private. */
export function gaussianSigma(epsilon: number, delta: number): number {
  let [low, high] = [0, 1];
  while (gaussianDelta(high, epsilon) > delta) [low, high] = [high, high * 2];
  return bisect(low, high, (sigma) => gaussianDelta(sigma, epsilon) > delta);
}

/** The upper end of where `isShort` turns from true to false between `low` and `high`, to the last bits. */
export function bisect(low: number, high: number, isShort: (at: number) => boolean): number {
  let [short, enough] = [low, high];
  for (let round = 0; round < 200; round += 1) {
    const middle = (short + enough) / 2;
    if (middle <= short || middle >= enough) break;
    if (isShort(middle)) short = middle;
    else enough = middle;
  }
  return enough;
}
