import type { OfferId } from '@ringfence/base';
import { outcomeOf, type Amounts } from './amounts.ts';
import {
  FAN_OUT,
  LEAST_ID,
  LEAST_PRICE,
  MOST_CPU,
  MOST_DISK,
  MOST_MEMORY,
  MOST_SHARE,
  MOST_WHOLE,
  NODE,
} from './bound-tree.ts';
import type { FittedClass } from './class-fit.ts';
import type { Inventory } from './inventory.ts';
import { ID_ORDER, PRICE, ROW, cell } from './offer-row-layout.ts';
import type { DataSource } from './requirement.ts';
import { compareRanked, haulTo, scoreOf, termsOf, type Ranked, type ScoreTerms } from './score.ts';
import type { Tally } from './tally.ts';

/** One of the best offers. */
export interface ScoredOffer extends Ranked {
  readonly offerClass: FittedClass;
  readonly slot: number;
  readonly home: number;
  readonly idOrder: number;
}

/** How many of the best are looked for: the one to take, and who would be next. */
const BEST = 5;

/** The best offers for what `tally` counts but those in `except`, best first; exact, since only what cannot be among them is left out. */
export function searchBest(tally: Tally, inventory: Inventory, except?: ReadonlySet<OfferId>): ScoredOffer[] {
  return new Search(tally, except).run(inventory);
}

/** The terms of the score of one offer. */
export function termsAt({ fit }: Tally, { offerClass, slot }: Pick<ScoredOffer, 'offerClass' | 'slot'>): ScoreTerms {
  const { weights, wishes } = fit.requirement;
  return termsOf(weights, offerClass.offerClass.rows, slot * ROW + PRICE, haulAt(wishes.data, offerClass, slot));
}

/** The score of one offer. */
export function scoreAt({ fit }: Tally, { offerClass, slot }: Pick<ScoredOffer, 'offerClass' | 'slot'>): number {
  const { weights, wishes } = fit.requirement;
  return scoreOf(weights, offerClass.offerClass.rows, slot * ROW + PRICE, haulAt(wishes.data, offerClass, slot));
}

/** Only an offer at a site where data lies has another way than the rest of its class. */
function haulAt(data: readonly DataSource[] | undefined, fitted: FittedClass, slot: number): FittedClass['haul'] {
  if (data === undefined || fitted.haul === fitted.leastHaul) return fitted.haul;
  const offer = fitted.offerClass.offerAt(slot);
  if (offer === undefined) return fitted.haul;
  const own = haulTo(data, offer.region, (source) => source.site === offer.site && source.region === offer.region);
  return { ...own, comparable: fitted.haul.comparable };
}

class Search {
  readonly #tally: Tally;
  readonly #amounts: Amounts;
  readonly #except: ReadonlySet<OfferId> | undefined;
  readonly #best: ScoredOffer[] = [];

  constructor(tally: Tally, except: ReadonlySet<OfferId> | undefined) {
    this.#except = except;
    this.#tally = tally;
    this.#amounts = tally.amounts;
  }

  run(inventory: Inventory): ScoredOffer[] {
    const { fit, lastBest } = this.#tally;
    // Who was best before still is, mostly: beginning with them leaves out nearly everything else.
    for (const { offerClass, slot } of lastBest) this.#look(offerClass, slot);
    for (const [place, fitted] of fit.order(inventory).entries()) {
      const worst = this.#best[BEST - 1];
      // Classes come by home, then by bound: what follows cannot be better either.
      if (worst !== undefined && fitted.home > worst.home) break;
      if (worst !== undefined && fitted.home === worst.home && fit.boundAt(place) > worst.score) break;
      const { levels } = fitted.offerClass.tree;
      if (levels.length > 0 && fitted.offerClass.size > 0) this.#visit(fitted, levels.length - 1, 0);
    }
    this.#tally.lastBest = this.#best;
    return this.#best;
  }

  #visit(fitted: FittedClass, level: number, node: number): void {
    const nodes = fitted.offerClass.tree.levels[level];
    if (nodes === undefined || !this.#mayHold(fitted, nodes, node * NODE)) return;
    const first = node * FAN_OUT;
    if (level === 0) {
      const end = Math.min(fitted.offerClass.slots, first + FAN_OUT);
      for (let slot = first; slot < end; slot += 1) this.#look(fitted, slot);
      return;
    }
    const below = fitted.offerClass.tree.levels[level - 1];
    const end = Math.min((below?.length ?? 0) / NODE, first + FAN_OUT);
    for (let child = first; child < end; child += 1) this.#visit(fitted, level - 1, child);
  }

  /** Whether a node may hold an offer that fits and is among the best. */
  #mayHold(fitted: FittedClass, nodes: Float64Array, start: number): boolean {
    const { cpuMilli, memoryBytes, diskBytes, cards, share, priceLimit } = this.#amounts;
    if (cell(nodes, start + MOST_CPU) < cpuMilli || cell(nodes, start + MOST_MEMORY) < memoryBytes) return false;
    if (cell(nodes, start + MOST_DISK) < diskBytes || cell(nodes, start + MOST_WHOLE) < cards) return false;
    if (cell(nodes, start + MOST_SHARE) < share) return false;
    if (fitted.priceMode === 'compare' && cell(nodes, start + LEAST_PRICE) > priceLimit) return false;
    const worst = this.#best[BEST - 1];
    if (worst === undefined || fitted.home < worst.home) return true;
    const bound = scoreOf(this.#tally.fit.requirement.weights, nodes, start + LEAST_PRICE, fitted.leastHaul);
    if (bound !== worst.score) return bound < worst.score;
    const worstTier = worst.offerClass.tierPlace;
    if (fitted.tierPlace !== worstTier) return fitted.tierPlace < worstTier;
    return cell(nodes, start + LEAST_ID) <= worst.idOrder;
  }

  #look(fitted: FittedClass, slot: number): void {
    const { rows } = fitted.offerClass;
    const score = scoreAt(this.#tally, { offerClass: fitted, slot });
    const worst = this.#best[BEST - 1];
    if (worst !== undefined && fitted.home === worst.home && score > worst.score) return;
    if (outcomeOf(rows, slot * ROW, this.#amounts, fitted) !== 0) return;
    const offer = fitted.offerClass.offerAt(slot);
    if (offer === undefined || this.#except?.has(offer.offer) === true) return;
    const found: ScoredOffer = {
      tier: offer.tier,
      score,
      offer: offer.offer,
      offerClass: fitted,
      slot,
      home: fitted.home,
      idOrder: cell(rows, slot * ROW + ID_ORDER),
    };
    if (worst !== undefined && compareRanked(found, worst) > 0) return;
    if (this.#best.some((other) => other.offer === found.offer)) return;
    let place = this.#best.length;
    while (place > 0 && compareRanked(found, this.#best[place - 1] ?? found) < 0) place -= 1;
    this.#best.splice(place, 0, found);
    if (this.#best.length > BEST) this.#best.pop();
  }
}
