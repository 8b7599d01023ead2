import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';
import type { FailureCounts } from './failure-counts.ts';
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
/** Where in {@link SUMS} the sums of all constraints begin. */
const REFUSED = 0;
const FAILED = CONSTRAINTS.length;
const SOLE = FAILED + CONSTRAINTS.length;
/** Used by one explanation at a time, from its beginning to its end. */
const SUMS = new Int32Array(SOLE + CONSTRAINTS.length);

/**
 * Reads an explanation off the numbers of offers by what exactly they fail. What is in `alone` is given up alone or not at all:
 * giving it up may also lose offers, so that two constraints would not bring what each of them does.
 */
export function explain(counts: FailureCounts, alone: FailureMask = 0): Explanation {
  SUMS.fill(0);
  for (let place = 0; place < counts.length; place += 1) {
    const count = counts.countAt(place);
    let rest = counts.maskAt(place) & (FIXED - 1);
    if (count === 0 || rest === 0) continue;
    const first = firstPlace(rest);
    SUMS[REFUSED + first] = (SUMS[REFUSED + first] ?? 0) + count;
    if ((rest & (rest - 1)) === 0) SUMS[SOLE + first] = (SUMS[SOLE + first] ?? 0) + count;
    for (; rest !== 0; rest &= rest - 1) {
      const failed = FAILED + firstPlace(rest);
      SUMS[failed] = (SUMS[failed] ?? 0) + count;
    }
  }
  return {
    refused: counted(REFUSED),
    failed: counted(FAILED),
    soleFailures: counted(SOLE),
    relaxations: relaxationsIn(counts, alone),
  };
}

function counted(sums: number): ConstraintCount[] {
  const list: ConstraintCount[] = [];
  for (let place = 0; place < CONSTRAINTS.length; place += 1) {
    const count = SUMS[sums + place] ?? 0;
    const constraint = CONSTRAINTS[place];
    if (count !== 0 && constraint !== undefined) list.push({ constraint, count });
  }
  return list;
}

interface Found {
  readonly mask: FailureMask;
  readonly size: number;
  readonly offers: number;
}

function relaxationsIn(counts: FailureCounts, alone: FailureMask): Relaxation[] {
  const best: Found[] = [];
  for (let place = 0; place < counts.length; place += 1) {
    const full = counts.maskAt(place);
    const mask = full & ~LEANS_ON_TEE;
    if (counts.countAt(place) === 0 || mask === 0 || (mask & ~MAY_GIVE_UP) !== 0) continue;
    const size = countOf(mask);
    if (size > 2 || (size === 2 && (mask & alone) !== 0)) continue;
    // The same without the TEE to lean on has been looked at, or will be.
    if (mask !== full && counts.of(mask) !== 0) continue;
    insert(best, { mask, size, offers: gained(counts, mask, size) });
  }
  return best.map(({ mask, offers }) => ({ giveUp: namesOf(mask), offers }));
}

/** Who gives up two constraints also gets what fails one of them alone, but for what keeps jobs apart by the TEE given up. */
function gained(counts: FailureCounts, mask: FailureMask, size: number): number {
  const leaning = (mask & TEE) === 0;
  const sum = reached(counts, mask, leaning);
  if (size === 1) return sum;
  return sum + reached(counts, mask & (mask - 1), leaning) + reached(counts, mask & -mask, leaning);
}

function reached(counts: FailureCounts, mask: FailureMask, leaning: boolean): number {
  return counts.of(mask) + (leaning ? counts.of(mask | LEANS_ON_TEE) : 0);
}

/** Fewer constraints come first, then more offers. */
function insert(best: Found[], found: Found): void {
  let place = best.length;
  while (place > 0 && isBefore(found, best[place - 1] ?? found)) place -= 1;
  if (place >= MOST_RELAXATIONS) return;
  best.splice(place, 0, found);
  if (best.length > MOST_RELAXATIONS) best.pop();
}

function isBefore(a: Found, b: Found): boolean {
  return (a.size - b.size || b.offers - a.offers || a.mask - b.mask) < 0;
}

const NAMES = new Map<FailureMask, readonly Constraint[]>();

/** There are as many as there are pairs of constraints, at the most. */
function namesOf(mask: FailureMask): readonly Constraint[] {
  const known = NAMES.get(mask) ?? constraintsIn(mask);
  NAMES.set(mask, known);
  return known;
}
