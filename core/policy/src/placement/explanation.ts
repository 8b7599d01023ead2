import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';
import {
  FIXED,
  LEANS_ON_TEE,
  MAY_GIVE_UP,
  bitOf,
  constraintsIn,
  countOf,
  firstPlace,
  type FailureMask,
} from './placement-constraints.ts';

/** How many offers, for one constraint. */
export interface ConstraintCount {
  readonly constraint: Constraint;
  readonly count: number;
}

/** What a job could ask less of, as far as its label lets it, and how many more offers could then take it. */
export interface Relaxation {
  readonly giveUp: readonly Constraint[];
  readonly offers: number;
}

/** Why offers were refused. */
export interface Explanation {
  /** Each refused offer once, under the first constraint that it fails. */
  readonly refused: readonly ConstraintCount[];
  /** Each refused offer under every constraint that it fails. */
  readonly failed: readonly ConstraintCount[];
  /** Offers that fail this constraint alone. */
  readonly soleFailures: readonly ConstraintCount[];
  /** The nearest ways to more offers: one constraint before two, then the most offers; five at the most. */
  readonly relaxations: readonly Relaxation[];
}

const MOST_RELAXATIONS = 5;
const TEE = bitOf('tee');

/**
 * Reads an explanation off the numbers of offers by what exactly they fail. What is in `alone` is given up alone or not at all:
 * giving it up may also lose offers, so that two constraints would not bring what each of them does.
 */
export function explain(byFailures: ReadonlyMap<FailureMask, number>, alone: FailureMask = 0): Explanation {
  const refused = CONSTRAINTS.map(() => 0);
  const failed = refused.slice();
  const sole = refused.slice();
  for (const [mask, count] of byFailures) {
    let rest = mask & (FIXED - 1);
    if (rest === 0) continue;
    const first = firstPlace(rest);
    refused[first] = (refused[first] ?? 0) + count;
    if ((rest & (rest - 1)) === 0) sole[first] = (sole[first] ?? 0) + count;
    for (; rest !== 0; rest &= rest - 1) {
      const place = firstPlace(rest);
      failed[place] = (failed[place] ?? 0) + count;
    }
  }
  return {
    refused: counted(refused),
    failed: counted(failed),
    soleFailures: counted(sole),
    relaxations: relaxationsIn(byFailures, alone),
  };
}

function counted(counts: readonly number[]): ConstraintCount[] {
  return CONSTRAINTS.flatMap((constraint, place) => {
    const count = counts[place] ?? 0;
    return count === 0 ? [] : [{ constraint, count }];
  });
}

function relaxationsIn(byFailures: ReadonlyMap<FailureMask, number>, alone: FailureMask): Relaxation[] {
  const numberOf = (mask: FailureMask) => byFailures.get(mask) ?? 0;
  const found = new Map<FailureMask, number>();
  for (const full of byFailures.keys()) {
    const mask = full & ~LEANS_ON_TEE;
    const size = countOf(mask);
    if (size === 0 || size > 2 || (mask & ~MAY_GIVE_UP) !== 0 || (size === 2 && (mask & alone) !== 0)) continue;
    // Who gives up two constraints also gets what fails one of them alone, but for what keeps jobs apart by the TEE given up.
    const parts = size === 1 ? [mask] : [mask & (mask - 1), mask & -mask, mask];
    const leaning = (part: FailureMask) => ((mask & TEE) === 0 ? numberOf(part | LEANS_ON_TEE) : 0);
    found.set(
      mask,
      parts.reduce((sum, part) => sum + numberOf(part) + leaning(part), 0),
    );
  }
  return [...found]
    .sort(([a, offersA], [b, offersB]) => countOf(a) - countOf(b) || offersB - offersA || a - b)
    .slice(0, MOST_RELAXATIONS)
    .map(([mask, offers]) => ({ giveUp: constraintsIn(mask), offers }));
}
