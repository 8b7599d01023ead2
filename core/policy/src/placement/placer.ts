import type { AgentId, EpochMs, OfferId } from '@ringfence/base';
import { isolationUsed } from '../isolation-used.ts';
import { loosenings, type Loosening } from '../placement-limits.ts';
import type { Decision } from '../decision.ts';
import type { Isolation, Tier } from '@ringfence/protocol';
import type { Constraint } from '@ringfence/protocol/statements';
import { OUTCOME_FAILURES, amountsOf, outcomeOf } from './amounts.ts';
import { chosenClaims, type CountedClaim } from './chosen-claims.ts';
import { ClassFit } from './class-fit.ts';
import type { Explanation } from './explanation.ts';
import type { Inventory } from './inventory.ts';
import { LeastUsed } from './least-used.ts';
import { ROW } from './offer-row-layout.ts';
import { constraintsIn } from './placement-constraints.ts';
import type { PlacementOffer, Price } from './placement-offer.ts';
import { amountSignature, classSignature } from './requirement-signature.ts';
import type { PlacementRequest } from './requirement.ts';
import type { ScoreTerms } from './score.ts';
import { scoreAt, termsAt, type ScoredOffer } from './scored-offer.ts';
import { takeOf, type Take } from './take.ts';
import { Tally } from './tally.ts';

/** Why a job was placed nowhere. */
export type PlacementReason =
  | { readonly code: 'looser-than-label'; readonly field: Loosening['field'] }
  | { readonly code: 'no-offers' }
  | { readonly code: 'no-offer-fits' };

/** An offer with its score, the less the better, and what that is made of. */
export interface RankedOffer {
  readonly offer: OfferId;
  readonly agent: AgentId;
  readonly tier: Tier;
  readonly score: number;
  readonly terms: ScoreTerms;
}

/** The offer chosen, and what receipt and reservation need of it. */
export interface ChosenOffer extends RankedOffer {
  readonly offerEpoch: number;
  readonly isolation: Isolation;
  readonly price?: Price;
  readonly lossEvery?: number;
  /** The claims that made it eligible, and until when they hold. */
  readonly evidence: readonly CountedClaim[];
  /** What the job gets; {@link Inventory.reserve} takes it. */
  readonly take: Take;
}

/** One placement with everything that decided it. */
export interface Placement {
  readonly decision: Decision<PlacementReason, { readonly chosen: ChosenOffer }>;
  readonly inventoryEpoch: number;
  readonly considered: number;
  /** Offers that could take the job; with the counts of `refused` they sum to `considered`. */
  readonly feasible: number;
  readonly explanation: Explanation;
  /** The best offers, best first; the first is the one chosen. */
  readonly top: readonly RankedOffer[];
}

/** What one offer is to a job. */
export type WhyNot =
  | { readonly fits: true; readonly score: number; readonly terms: ScoreTerms }
  | { readonly fits: false; readonly failed: readonly Constraint[] };

/** How a placer is set up. */
export interface PlacerOptions {
  /** In which costs of jobs without a price limit are compared (ISO 4217). */
  readonly currency: string;
  /** How many requirements, and how many of them with their amounts, are kept worked out. */
  readonly mostFits?: number;
  readonly mostTallies?: number;
  /** How many classes of offers may be kept worked out for all requirements together; eight requirements are kept whatever they cost. */
  readonly mostFitted?: number;
}

const LEAST_KEPT = 8;

const NOTHING: Explanation = { refused: [], failed: [], soleFailures: [], relaxations: [] };

/**
 * Chooses the best offer of an inventory for a job: hard constraints first, then the least score, exactly as looking at every
 * offer would. It reserves nothing: who takes the placement calls {@link Inventory.reserve} with the `take` it names, and asks
 * again when somebody was faster.
 */
export class Placer {
  readonly inventory: Inventory;
  readonly #currency: string;
  readonly #most: { readonly fits: number; readonly tallies: number; readonly fitted: number };
  readonly #fits: LeastUsed<string, ClassFit>;
  readonly #tallies: LeastUsed<string, Tally>;

  constructor(inventory: Inventory, options: PlacerOptions) {
    const { currency, mostFits = 256, mostTallies = 1_024, mostFitted = Infinity } = options;
    this.inventory = inventory;
    this.#currency = currency;
    this.#most = { fits: mostFits, tallies: mostTallies, fitted: mostFitted };
    this.#fits = new LeastUsed(mostFits);
    this.#tallies = new LeastUsed(mostTallies);
  }

  /** How many requirements, and how many of them with their amounts, are kept worked out now. */
  get kept(): { readonly fits: number; readonly tallies: number } {
    return { fits: this.#fits.size, tallies: this.#tallies.size };
  }

  /** Decides where `request` goes now; never to an offer in `except`, which counts as one that could take it all the same. */
  place(request: PlacementRequest, except?: ReadonlySet<OfferId>): Placement {
    const { size: considered, epoch: inventoryEpoch } = this.inventory;
    const tally = this.#tallyFor(request);
    if (Array.isArray(tally)) {
      const reasons = tally.map(({ field }) => ({ code: 'looser-than-label' as const, field }));
      const decision = { allow: false as const, reasons };
      return { decision, inventoryEpoch, considered: 0, feasible: 0, explanation: NOTHING, top: [] };
    }
    const best = tally.best(this.inventory, except);
    return {
      decision: this.#decision(best[0], tally, request, considered),
      inventoryEpoch,
      considered,
      feasible: tally.feasible,
      explanation: tally.explanation,
      top: best.map((scored) => this.#ranked(scored, tally)),
    };
  }

  /** Why one offer would not take the job, all of it, or what its score is; undefined for an offer that is not in. */
  whyNot(request: PlacementRequest, id: OfferId): WhyNot | undefined {
    const tally = this.#tallyFor(request);
    const at = this.inventory.locate(id);
    if (at === undefined || Array.isArray(tally)) return undefined;
    const offerClass = tally.fit.fitted[at.offerClass];
    if (offerClass === undefined) return undefined;
    const outcome = outcomeOf(offerClass.offerClass.rows, at.slot * ROW, tally.amounts, offerClass.how);
    const failed = constraintsIn(offerClass.failures | (OUTCOME_FAILURES[outcome] ?? 0));
    if (failed.length > 0) return { fits: false, failed };
    const { requirement } = tally.fit;
    return {
      fits: true,
      score: scoreAt(requirement, offerClass, at.slot),
      terms: termsAt(requirement, offerClass, at.slot),
    };
  }

  #tallyFor(request: PlacementRequest): Tally | Loosening[] {
    this.#limit();
    const name = classSignature(request, this.#currency);
    const fit = this.#fitFor(name, request);
    if (Array.isArray(fit)) return fit;
    const amounts = amountsOf(request, this.inventory);
    const key = `${name}|${amountSignature(amounts)}`;
    let tally = this.#tallies.get(key);
    if (tally?.fit !== fit) {
      tally = new Tally(fit, amounts);
      this.#tallies.set(key, tally);
    }
    tally.update(this.inventory);
    return tally;
  }

  /** What a requirement takes of memory grows with the classes that it was worked out for; a tally holds on to its fit. */
  #limit(): void {
    const { fits, tallies, fitted } = this.#most;
    const room = Math.max(LEAST_KEPT, Math.floor(fitted / Math.max(1, this.inventory.classes.length)));
    this.#fits.limitTo(Math.min(fits, room));
    this.#tallies.limitTo(Math.min(tallies, room));
  }

  /** A label that forbids what the placement asks for is found when the fit is made; both are in its signature. */
  #fitFor(name: string, request: PlacementRequest): ClassFit | Loosening[] {
    const known = this.#fits.get(name);
    if (known !== undefined && known.layout === this.inventory.layout) {
      known.extend(this.inventory);
      if (known.holdsAt(request.now)) return known;
    }
    // A pool that lets a job without a home go nowhere now names no tier: that is narrower than any label, and each offer fails it.
    const nowhere = request.placement.tiers.length === 0;
    const loose = loosenings(request.placement, request.label).filter(({ field }) => !nowhere || field !== 'tiers');
    if (loose.length > 0) return loose;
    const fit = new ClassFit(request, this.#currency, this.inventory);
    this.#fits.set(name, fit);
    return fit;
  }

  #decision(
    best: ScoredOffer | undefined,
    tally: Tally,
    request: PlacementRequest,
    considered: number,
  ): Placement['decision'] {
    if (best === undefined) {
      return { allow: false, reasons: [{ code: considered === 0 ? 'no-offers' : 'no-offer-fits' }] };
    }
    const { offerClass, slot } = best;
    const offer = required(offerClass.offerClass.offerAt(slot));
    const free = required(offerClass.offerClass.freeAt(slot));
    const demand = tally.fit.requirement.tiers[offer.tier];
    return {
      allow: true,
      chosen: {
        ...this.#ranked(best, tally),
        offerEpoch: offer.epoch,
        isolation: required(isolationUsed(offer, demand)),
        ...(offer.price === undefined ? {} : { price: offer.price }),
        ...(offer.lossEvery === undefined ? {} : { lossEvery: offer.lossEvery }),
        evidence: chosenClaims(offer.evidence, demand.evidence, spanOf(tally, request.now)),
        take: required(takeOf(free, request.placement, request.wishes ?? {})),
      },
    };
  }

  #ranked(scored: ScoredOffer, tally: Tally): RankedOffer {
    const { agent }: PlacementOffer = required(scored.offerClass.offerClass.offerAt(scored.slot));
    return {
      offer: scored.offer,
      agent,
      tier: scored.tier,
      score: scored.score,
      terms: termsAt(tally.fit.requirement, scored.offerClass, scored.slot),
    };
  }
}

function spanOf({ fit: { requirement } }: Tally, now: EpochMs): { now: EpochMs; until: number } {
  return { now, until: now + (requirement.until - requirement.now) };
}

/** What has to be there where an offer was found to fit. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('an offer that fits lacks what made it fit');
  return value;
}
