/** A few losses with the mass that is near each: enough to choose a grid by, never for a bound. */
export interface LossSketch {
  readonly losses: Float64Array;
  readonly masses: Float64Array;
}

/** About the variance of the loss. */
export function sketchVariance({ losses, masses }: LossSketch): number {
  let [total, mean, square] = [0, 0, 0];
  for (let at = 0; at < losses.length; at += 1) {
    const [mass, loss] = [masses[at] as number, losses[at] as number];
    total += mass;
    mean += mass * loss;
    square += mass * loss * loss;
  }
  return Math.max(0, square / total - (mean / total) ** 2);
}

/** About log E[e^(slope · loss)]. */
export function sketchMoments({ losses, masses }: LossSketch, slope: number): number {
  const top = slope > 0 ? (losses.at(-1) as number) : (losses[0] as number);
  let sum = 0;
  for (let at = 0; at < losses.length; at += 1)
    sum += (masses[at] as number) * Math.exp(slope * ((losses[at] as number) - top));
  return Math.log(sum) + slope * top;
}
