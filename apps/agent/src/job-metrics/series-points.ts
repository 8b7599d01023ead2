import type { MetricPoint } from '@ringfence/protocol/payload';

/** Points of one tier. */
export const TIER_POINTS = 48;
/** Tiers; each holds points that stand for twice as many values as those of the tier before. */
export const TIERS = 10;

/**
 * The points of one series, exact while they are new and coarser the older they are: when a tier is full its two oldest become one of the
 * next tier, and in the last tier all become half as many. So at most {@link TIER_POINTS} × {@link TIERS} are kept of whatever was added, and
 * minimum, maximum and count of all values survive.
 */
export class SeriesPoints {
  readonly #tiers: MetricPoint[][] = [];

  add(point: MetricPoint): void {
    let carried = point;
    for (let level = 0; ; level += 1) {
      const tier = (this.#tiers[level] ??= []);
      tier.push(carried);
      const [first, second] = tier;
      if (tier.length <= TIER_POINTS || first === undefined || second === undefined) return;
      if (level === TIERS - 1) return void (this.#tiers[level] = halved(tier));
      tier.splice(0, 2);
      carried = mergePoints(first, second);
    }
  }

  /** Oldest first. */
  all(): readonly MetricPoint[] {
    return this.#tiers.toReversed().flat();
  }

  /** The points of each tier, for the file. */
  get tiers(): readonly (readonly MetricPoint[])[] {
    return this.#tiers;
  }

  /** Puts a tier back that {@link tiers} gave. */
  restore(level: number, points: readonly MetricPoint[]): void {
    if (level < 0 || level >= TIERS) return;
    for (let below = this.#tiers.length; below < level; below += 1) this.#tiers[below] = [];
    this.#tiers[level] = points.slice(0, TIER_POINTS);
  }
}

/** Two neighbouring points as one; `later` gives value, time and step. */
export function mergePoints(earlier: MetricPoint, later: MetricPoint): MetricPoint {
  const step = later.step ?? earlier.step;
  return {
    at: later.at,
    value: later.value,
    ...(step === undefined ? {} : { step }),
    min: Math.min(earlier.min ?? earlier.value, later.min ?? later.value),
    max: Math.max(earlier.max ?? earlier.value, later.max ?? later.value),
    count: (earlier.count ?? 1) + (later.count ?? 1),
  };
}

function halved(points: readonly MetricPoint[]): MetricPoint[] {
  const half: MetricPoint[] = [];
  for (let at = 0; at < points.length; at += 2) {
    const [first, second] = points.slice(at, at + 2);
    if (first !== undefined) half.push(second === undefined ? first : mergePoints(first, second));
  }
  return half;
}
