import type { EpochMs } from '@ringfence/base';
import { EVIDENCE_MAX_AGE_DAYS, TIERS } from '@ringfence/protocol';
import { COMPARES_PRICE, NEEDS_GPU, REFUSES_PRICE, type Comparison } from './amounts.ts';
import { LEAST_PRICE } from './bound-tree.ts';
import { classFailures, claimTurns } from './class-constraints.ts';
import type { Inventory } from './inventory.ts';
import type { OfferClass } from './offer-class.ts';
import { cell } from './offer-row-layout.ts';
import { FIXED, LEANS_ON_TEE, MAY_GIVE_UP, countOf, type FailureMask } from './placement-constraints.ts';
import { requirementOf, type DataSource, type PlacementRequest, type Requirement } from './requirement.ts';
import { relaxed } from './relaxation.ts';
import { haulTo, homeFirst, scoreOf, type Haul, type ScoredAs } from './score.ts';
import { isKind } from './take.ts';

/** What one class is to one requirement. */
export interface FittedClass {
  readonly number: number;
  readonly offerClass: OfferClass;
  /** What every offer of the class fails, with {@link FIXED} where giving that up does not help. */
  readonly failures: FailureMask;
  readonly how: Comparison;
  /** What data has to move, unless an offer is at a site where some of it lies. */
  readonly haul: Haul & ScoredAs;
  /** No offer of the class has less to move. */
  readonly leastHaul: Haul & ScoredAs;
  readonly home: number;
  readonly tierPlace: number;
}

const LEAST_CLASSES = 32;

/** What every class is to the requirements with one class signature. */
export class ClassFit {
  readonly requirement: Requirement;
  readonly fitted: FittedClass[] = [];
  /** For each class {@link FittedClass.failures} and {@link FittedClass.how} again, side by side: what changes are followed with. */
  traits = new Int32Array(2 * LEAST_CLASSES);
  #from = -Infinity;
  #until = Infinity;
  readonly layout: number;
  readonly #request: PlacementRequest;
  readonly #data: readonly DataSource[];
  readonly #currency: string;
  readonly #relaxed = new Map<FailureMask, Requirement>();
  #order: FittedClass[] = [];
  #bounds: Float64Array = new Float64Array(0);
  #lowered = -1;

  constructor(request: PlacementRequest, currency: string, inventory: Inventory) {
    this.#request = request;
    this.requirement = requirementOf(request, currency);
    this.#currency = this.requirement.currency;
    this.#data = request.wishes?.data ?? [];
    this.layout = inventory.layout;
    this.extend(inventory);
  }

  /** Whether what was worked out holds for a start at `now`; a clock that went back may leave that span, too. */
  holdsAt(now: EpochMs): boolean {
    return this.#from <= now && now < this.#until;
  }

  /** Adds classes that are new since. */
  extend(inventory: Inventory): void {
    for (let number = this.fitted.length; number < inventory.classes.length; number += 1) {
      const offerClass = inventory.classes[number];
      if (offerClass === undefined) return;
      const fitted = this.#fit(number, offerClass);
      this.fitted.push(fitted);
      if (2 * number >= this.traits.length) this.#widen();
      this.traits[2 * number] = fitted.failures;
      this.traits[2 * number + 1] = fitted.how;
      this.#narrow(offerClass);
      this.#lowered = -1;
    }
  }

  /** Classes that fit, by the least score that one of their offers could have. */
  order(inventory: Inventory): readonly FittedClass[] {
    if (this.#lowered !== inventory.lowered) this.#sort(inventory);
    return this.#order;
  }

  /** No offer of the class at `place` in {@link order} scores less. */
  boundAt(place: number): number {
    return cell(this.#bounds, place);
  }

  #widen(): void {
    const wider = new Int32Array(this.traits.length * 2);
    wider.set(this.traits);
    this.traits = wider;
  }

  #sort(inventory: Inventory): void {
    const bounded = this.fitted
      .filter(({ failures, how }) => (failures & ~LEANS_ON_TEE) === 0 && !isHopeless(how))
      .map((fitted) => ({ fitted, bound: this.#bound(fitted) }))
      .toSorted((a, b) => a.fitted.home - b.fitted.home || a.bound - b.bound);
    this.#order = bounded.map(({ fitted }) => fitted);
    this.#bounds = Float64Array.from(bounded, ({ bound }) => bound);
    this.#lowered = inventory.lowered;
  }

  #bound({ offerClass, leastHaul }: FittedClass): number {
    if (offerClass.size === 0) return Infinity;
    return scoreOf(this.requirement.weights, offerClass.tree.root, LEAST_PRICE, leastHaul);
  }

  #fit(number: number, offerClass: OfferClass): FittedClass {
    const { sample } = offerClass;
    const { placement, wishes, currency } = this.requirement;
    const { gpus } = placement.resources;
    let how = gpus === undefined ? 0 : NEEDS_GPU;
    for (const [kind, cards] of sample.free.gpus.entries()) {
      if (gpus !== undefined && isKind(cards, gpus, wishes.most?.gpuMemoryBytes)) how |= 1 << kind;
    }
    const near = this.#data.some(({ region }) => region === sample.region);
    const comparable = offerClass.currency === undefined || offerClass.currency === currency;
    const haul = { ...haulTo(this.#data, sample.region, () => false), comparable };
    const least = near ? haulTo(this.#data, sample.region, ({ region }) => region === sample.region) : undefined;
    const leastHaul = least === undefined ? haul : { ...least, comparable };
    return {
      number,
      offerClass,
      failures: this.#failures(offerClass),
      how: how | this.#priceComparison(offerClass),
      haul,
      leastHaul,
      home: homeFirst(sample.tier),
      tierPlace: TIERS.indexOf(sample.tier),
    };
  }

  /** A price that is unknown away from home, or in another currency, is not within any limit (invariant 4). */
  #priceComparison({ currency, sample }: OfferClass): Comparison {
    const { maxPrice, budget } = this.requirement.placement;
    if (maxPrice === undefined && budget === undefined) return 0;
    if (currency === undefined) return sample.tier === 'private' ? 0 : REFUSES_PRICE;
    return currency === this.requirement.currency ? COMPARES_PRICE : REFUSES_PRICE;
  }

  #failures({ sample }: OfferClass): FailureMask {
    const failures = classFailures(sample, this.requirement);
    const named = failures & ~LEANS_ON_TEE;
    if (named === 0) return failures;
    const open = (named & ~MAY_GIVE_UP) === 0 && countOf(named) <= 2;
    return open && (classFailures(sample, this.#relax(named)) & ~LEANS_ON_TEE) === 0 ? failures : failures | FIXED;
  }

  #relax(mask: FailureMask): Requirement {
    const known = this.#relaxed.get(mask) ?? requirementOf(relaxed(this.#request, mask), this.#currency);
    this.#relaxed.set(mask, known);
    return known;
  }

  /** Evidence that begins, ages out or ends changes what fits from that moment on. */
  #narrow({ sample }: OfferClass): void {
    const { now, until, tiers, placement } = this.requirement;
    const ages = new Set([
      tiers[sample.tier].evidence?.maxAgeDays,
      placement.evidence?.maxAgeDays,
      EVIDENCE_MAX_AGE_DAYS,
    ]);
    for (const claim of sample.evidence) {
      for (const age of ages) {
        for (const turn of age === undefined ? [] : claimTurns(claim, age, until - now)) {
          if (turn <= now) this.#from = Math.max(this.#from, turn);
          else this.#until = Math.min(this.#until, turn);
        }
      }
    }
  }
}

/** GPUs are needed, and the class has none that will do. */
function isHopeless(how: Comparison): boolean {
  return (how & (2 * NEEDS_GPU - 1)) === NEEDS_GPU;
}
