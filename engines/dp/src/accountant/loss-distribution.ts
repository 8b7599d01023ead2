/**
 * A privacy loss distribution on a grid: with probability `probs[i]` the loss is `(first + i) · interval`, with `infinity` it has no bound. It stands
 * for a pair of distributions whose hockey-stick divergence is that of some mechanism, or at least (pessimistic) or at most (optimistic) that.
 */
export interface LossDistribution {
  readonly interval: number;
  readonly first: number;
  readonly probs: Float64Array;
  readonly infinity: number;
}

/** delta(epsilon): infinity + Σ over losses above epsilon of p·(1 − e^(epsilon − loss)). */
export function deltaOfLosses({ interval, first, probs, infinity }: LossDistribution, epsilon: number): number {
  let delta = infinity;
  const start = Math.max(0, Math.floor(epsilon / interval) + 1 - first);
  for (let at = probs.length - 1; at >= start; at -= 1)
    delta += (probs[at] as number) * -Math.expm1(epsilon - (first + at) * interval);
  return Math.min(1, delta);
}

/** The least epsilon ≥ 0 with delta(epsilon) ≤ `delta`; ∞ where there is none. */
export function epsilonOfLosses({ interval, first, probs, infinity }: LossDistribution, delta: number): number {
  if (!(infinity <= delta)) return Infinity;
  // From the top: delta(e) = upper − e^(e − loss) · lower, between two neighbours of the grid; `lower` is Σ p·e^(loss − its own), which fits a double whatever the loss.
  let [upper, lower] = [infinity, 0];
  const fall = Math.exp(-interval);
  for (let at = probs.length - 1; at >= 0 && (first + at) * interval >= 0; at -= 1) {
    const loss = (first + at) * interval;
    const mass = probs[at] as number;
    upper += mass;
    lower = lower * fall + mass;
    // Below the last one there is no other neighbour.
    const next = at === 0 ? Math.exp(-Math.max(interval, loss)) : fall;
    if (upper - lower * next <= delta) continue;
    return Math.max(0, Math.min(loss, loss + Math.log((upper - delta) / lower)));
  }
  return 0;
}
