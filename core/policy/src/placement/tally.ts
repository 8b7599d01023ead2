import type { OfferId } from '@ringfence/base';
import { OUTCOMES, OUTCOME_FAILURES, outcomeOf, type Amounts, type Comparison } from './amounts.ts';
import { BestOffers } from './best-offers.ts';
import {
  AMOUNT_CODE,
  AMOUNT_CODE_NOW,
  CARD_CODE,
  CARD_CODE_NOW,
  HEAD,
  MORE_THAN_FREE,
  NOW,
  OFFER_CLASS,
  RECORD,
  SLOT,
  type ChangeLog,
} from './change-log.ts';
import type { ClassFit } from './class-fit.ts';
import { explain, type Explanation } from './explanation.ts';
import { FailureCounts } from './failure-counts.ts';
import { amountCode, cardCode, sameCards, sameSide } from './free-code.ts';
import type { Inventory } from './inventory.ts';
import type { OfferClass } from './offer-class.ts';
import { FLAGS, LOGGED, PRESENT, ROW, cell } from './offer-row-layout.ts';
import { LEANS_ON_TEE, bitOf, type FailureMask } from './placement-constraints.ts';
import { fitsAt, scoreAt, type ScoredOffer } from './scored-offer.ts';
import { searchBest } from './search.ts';

/** A change costs so much more to follow than an offer to count; by measurement about as much. */
const FOLLOWING_COST = 1;
const ISOLATION = bitOf('isolation');
const NO_ROWS = new Float64Array(0);
/** No failure mask: there is no offer. */
const ABSENT = -1;
/** How many of the best offers are told: the one to take, and who would be next. */
const BEST = 5;
/** How many are looked for at first, and at the most; each time that those kept have run out, twice as many as before. */
const LEAST_KEPT = 8;
const MOST_KEPT = 32;

/** How many offers of the inventory fail what, and which are the best, for one requirement and its amounts; exact at each {@link update}. */
export class Tally {
  readonly fit: ClassFit;
  readonly amounts: Amounts;
  readonly #amountsAsked: number;
  readonly #cardsAsked: number;
  readonly #counts = new FailureCounts();
  readonly #best: BestOffers;
  #position = -1;
  #keep = LEAST_KEPT;
  #explanation: Explanation | undefined;

  constructor(fit: ClassFit, amounts: Amounts) {
    this.fit = fit;
    this.amounts = amounts;
    this.#amountsAsked = amountCode(amounts.cpuMilli, amounts.memoryBytes, amounts.diskBytes);
    this.#cardsAsked = cardCode(amounts.cards);
    this.#best = new BestOffers(fit);
  }

  /** How many offers could take the job. */
  get feasible(): number {
    return this.#counts.of(0) + this.#counts.of(LEANS_ON_TEE);
  }

  /** The counts as people and receipts read them. */
  get explanation(): Explanation {
    // Without the wish for a TEE, a TEE keeps nothing apart: offers with nothing else would be lost.
    const alone = this.fit.requirement.placement.isolation === 'tee' ? ISOLATION : 0;
    this.#explanation ??= explain(this.#counts, alone);
    return this.#explanation;
  }

  /** The best offers now but those in `except`, best first. */
  best(inventory: Inventory, except?: ReadonlySet<OfferId>): readonly ScoredOffer[] {
    if (this.feasible === 0) return [];
    const known = this.#best.first(BEST, except);
    if (known !== undefined) return known;
    return except === undefined || except.size === 0 ? this.#search(inventory) : this.#searchExcept(inventory, except);
  }

  #search(inventory: Inventory): readonly ScoredOffer[] {
    const { fit, amounts } = this;
    const best = this.#best;
    searchBest(inventory, { fit, amounts, most: this.#keep, best });
    this.#keep = Math.min(MOST_KEPT, this.#keep * 2);
    return best.first(BEST) ?? [];
  }

  #searchExcept(inventory: Inventory, except: ReadonlySet<OfferId>): readonly ScoredOffer[] {
    const { fit, amounts } = this;
    const best = new BestOffers(fit);
    searchBest(inventory, { fit, amounts, most: BEST, except, best });
    return best.first(BEST) ?? [];
  }

  /** Brings everything to the inventory's epoch: follows its changes, or counts anew where that is less work. */
  update({ log, size, classes }: Inventory): void {
    const behind = log.end - this.#position;
    if (behind === 0) return;
    if (this.#position < 0 || !log.reaches(this.#position) || behind * FOLLOWING_COST > size + OUTCOMES) this.#count();
    else this.#follow(log, classes);
    this.#position = log.end;
  }

  /** Of each slot that changed, its first change since tells what was counted there, and its row what has to be. */
  #follow(log: ChangeLog, classes: readonly OfferClass[]): void {
    const { heads, previous, now } = log;
    const amountsAsked = this.#amountsAsked;
    const cardsAsked = this.#cardsAsked;
    const more = log.hasMoreSince(this.#position);
    const all = more || this.amounts.share > 0;
    let at = log.placeOf(this.#position);
    for (let left = log.end - this.#position; left > 0; left -= 1) {
      const head = at * HEAD;
      if (cell(previous, at) < this.#position) {
        const is = (heads[head + RECORD] ?? 0) * NOW;
        if (
          all ||
          !sameSide(heads[head + AMOUNT_CODE] ?? 0, now[is + AMOUNT_CODE_NOW] ?? 0, amountsAsked) ||
          !sameCards(heads[head + CARD_CODE] ?? 0, now[is + CARD_CODE_NOW] ?? 0, cardsAsked)
        ) {
          this.#move(log, at, classes);
        }
      }
      if (more && heads[head + MORE_THAN_FREE] === 1)
        this.#rank(heads[head + OFFER_CLASS] ?? 0, heads[head + SLOT] ?? 0);
      at += 1;
      if (at === log.length) at = 0;
    }
  }

  #move(log: ChangeLog, at: number, classes: readonly OfferClass[]): void {
    const number = log.heads[at * HEAD + OFFER_CLASS] ?? 0;
    const slot = log.heads[at * HEAD + SLOT] ?? 0;
    const rows = classes[number]?.rows ?? NO_ROWS;
    const failures = this.fit.traits[2 * number] ?? 0;
    const how = this.fit.traits[2 * number + 1] ?? 0;
    const from = this.#failuresAt(log.rows, at * LOGGED, how);
    const to = this.#failuresAt(rows, slot * ROW, how);
    if (from === to) return;
    if (from !== ABSENT) this.#counts.add(failures | from, -1);
    if (to !== ABSENT) this.#counts.add(failures | to, 1);
    this.#explanation = undefined;
    if (!fits(failures)) return;
    if (from === 0) this.#best.remove(number, slot);
    else if (to === 0) this.#add(number, slot);
  }

  #rank(number: number, slot: number): void {
    this.#best.remove(number, slot);
    this.#add(number, slot);
  }

  /** Puts the offer at `slot` where it belongs among the best, if it fits. */
  #add(number: number, slot: number): void {
    const fitted = this.fit.fitted[number];
    if (fitted === undefined || !fits(fitted.failures)) return;
    const score = scoreAt(this.fit.requirement, fitted, slot);
    if (this.#best.mayTake(fitted.home, score) && fitsAt(this.amounts, fitted, slot))
      this.#best.add(fitted, slot, score);
  }

  #failuresAt(rows: Float64Array, start: number, how: Comparison): FailureMask {
    if ((cell(rows, start + FLAGS) & PRESENT) === 0) return ABSENT;
    return OUTCOME_FAILURES[outcomeOf(rows, start, this.amounts, how)] ?? 0;
  }

  #count(): void {
    this.#counts.clear();
    this.#best.clear();
    this.#explanation = undefined;
    const outcomes = new Int32Array(OUTCOMES);
    const seen: number[] = [];
    for (const fitted of this.fit.fitted) {
      const { rows, slots } = fitted.offerClass;
      for (let slot = 0; slot < slots; slot += 1) {
        if ((cell(rows, slot * ROW + FLAGS) & PRESENT) === 0) continue;
        const outcome = outcomeOf(rows, slot * ROW, this.amounts, fitted.how);
        if (outcomes[outcome] === 0) seen.push(outcome);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
      for (const outcome of seen) {
        this.#counts.add(fitted.failures | (OUTCOME_FAILURES[outcome] ?? 0), outcomes[outcome] ?? 0);
        outcomes[outcome] = 0;
      }
      seen.length = 0;
    }
  }
}

/** Whether an offer that fails exactly this could take the job. */
function fits(failures: FailureMask): boolean {
  return (failures & ~LEANS_ON_TEE) === 0;
}
