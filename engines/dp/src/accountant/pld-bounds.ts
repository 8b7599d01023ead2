import { gaussianDelta, gaussianEpsilon } from './analytic-gaussian.ts';
import { chooseInterval, type RepeatedSource } from './choose-interval.ts';
import { composeLosses, type ComposeOptions } from './compose-losses.ts';
import { treeDepth } from './event-rdp.ts';
import { deltaOfLosses, epsilonOfLosses, type LossDistribution } from './loss-distribution.ts';
import { gaussianSource, lossSourceOf, type Relation } from './loss-source.ts';
import type { PrivacyEvent } from './privacy-event.ts';

/** What privacy loss distributions say of a composition: curves that the true one lies between. */
export interface PldBounds {
  /** The least epsilon ≥ 0 that is vouched for at `delta`; ∞ where rounding hides it. */
  readonly epsilonAbove: (delta: number) => number;
  /** None lower is true. */
  readonly epsilonBelow: (delta: number) => number;
  readonly deltaAbove: (epsilon: number) => number;
  readonly deltaBelow: (epsilon: number) => number;
}

/** The lower bound costs more for each point of its grid. */
const COARSER = 2;
/** Mass that is cut off where there is nothing to compose: tails are as exact as doubles. */
const TAIL_OF_ONE = 1e-60;

/**
 * Of events, one after the other; the worse of both relations. `tail` is the mass that may be cut off (it is counted): far below any delta that is asked
 * for. Undefined where one of the events has no loss distribution.
 */
export function pldOf(events: readonly PrivacyEvent[], tail = 1e-15): PldBounds | undefined {
  const precision = events.reduce((sum, event) => sum + gaussianPrecision(event), 0);
  const isNothing = (event: PrivacyEvent): boolean => event.type === 'pure' && event.epsilon === 0;
  const others = repeatsOf(events.filter((event) => gaussianPrecision(event) === 0 && !isNothing(event)));
  if (others.length === 0) return precision === 0 ? NOTHING : gaussianBounds(1 / Math.sqrt(precision));
  const runs = others.reduce((sum, { steps }) => sum + steps, precision > 0 ? 1 : 0);
  const cut = runs === 1 ? TAIL_OF_ONE : tail / runs;
  const parts: RepeatedSource[] =
    precision > 0 ? [{ source: gaussianSource(1 / Math.sqrt(precision), cut), steps: 1 }] : [];
  for (const { event, steps } of others) {
    const source = lossSourceOf(event, cut);
    if (source === undefined) return undefined;
    parts.push({ source, steps });
  }
  return boundsOf(parts, tail);
}

const NOTHING: PldBounds = {
  epsilonAbove: () => 0,
  epsilonBelow: () => 0,
  deltaAbove: () => 0,
  deltaBelow: () => 0,
};

/** Gaussian mechanisms together are one, of the sum of their precisions. */
function gaussianPrecision(event: PrivacyEvent): number {
  switch (event.type) {
    case 'gaussian':
      return event.steps / event.sigma ** 2;
    case 'sampled-gaussian':
      return event.q === 1 ? event.steps / event.sigma ** 2 : 0;
    case 'tree':
      return (event.restarts * treeDepth(event.leaves)) / event.sigma ** 2;
    case 'laplace':
    case 'discrete-gaussian':
    case 'skellam':
    case 'pure':
      return 0;
  }
}

function gaussianBounds(sigma: number): PldBounds {
  const epsilon = (delta: number): number => gaussianEpsilon(sigma, delta);
  const delta = (at: number): number => gaussianDelta(sigma, at);
  return { epsilonAbove: epsilon, epsilonBelow: epsilon, deltaAbove: delta, deltaBelow: delta };
}

/** Equal events as one with all their steps. */
function repeatsOf(events: readonly PrivacyEvent[]): { readonly event: PrivacyEvent; readonly steps: number }[] {
  const kinds = new Map<string, { readonly event: PrivacyEvent; readonly steps: number }>();
  for (const event of events) {
    if (event.type === 'tree') continue;
    const key = JSON.stringify(Object.entries({ ...event, steps: 0 }).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    kinds.set(key, { event, steps: event.steps + (kinds.get(key)?.steps ?? 0) });
  }
  return [...kinds.values()];
}

function boundsOf(parts: readonly RepeatedSource[], tail: number): PldBounds {
  const relations: readonly Relation[] = parts.every(({ source }) => source.isSymmetric)
    ? ['remove']
    : ['remove', 'add'];
  const interval = chooseInterval(parts, tail);
  const isAligned = parts.some(({ source }) => source.unit !== undefined);
  const sums = (kind: 'above' | 'below', bound: ComposeOptions['bound'], grid: number): LossDistribution[] => {
    const losses = parts.map(({ source, steps }) => ({ of: source[kind](grid), steps }));
    return relations.map((relation) =>
      composeLosses(
        losses.map(({ of, steps }) => ({ losses: of[relation], steps })),
        { bound, tail },
      ),
    );
  };
  const above = once(() => sums('above', 'pessimistic', interval));
  const coarser = isAligned ? interval : COARSER * interval;
  const below = once(() => sums('below', 'optimistic', coarser));
  const slack = coarser * parts.reduce((sum, { source, steps }) => sum + source.slack * steps, 0);
  const worst = (losses: readonly LossDistribution[], of: (each: LossDistribution) => number): number =>
    Math.max(...losses.map(of));
  return {
    epsilonAbove: (delta) => worst(above(), (losses) => epsilonOfLosses(losses, delta)),
    epsilonBelow: (delta) => Math.max(0, worst(below(), (losses) => epsilonOfLosses(losses, delta)) - slack),
    deltaAbove: (epsilon) => worst(above(), (losses) => deltaOfLosses(losses, epsilon)),
    deltaBelow: (epsilon) => worst(below(), (losses) => deltaOfLosses(losses, epsilon + slack)),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
