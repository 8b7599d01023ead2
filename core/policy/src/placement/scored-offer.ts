import { outcomeOf, type Amounts } from './amounts.ts';
import type { FittedClass } from './class-fit.ts';
import { ID_ORDER, PRICE, ROW, cell } from './offer-row-layout.ts';
import type { DataSource, Requirement } from './requirement.ts';
import { haulTo, scoreOf, termsOf, type Ranked, type ScoreTerms } from './score.ts';

/** An offer that fits, with its score and where it lies. */
export interface ScoredOffer extends Ranked {
  readonly offerClass: FittedClass;
  readonly slot: number;
  readonly home: number;
  readonly idOrder: number;
}

/** The terms of the score of the offer at `slot` of a class. */
export function termsAt({ weights, wishes }: Requirement, fitted: FittedClass, slot: number): ScoreTerms {
  return termsOf(weights, fitted.offerClass.rows, slot * ROW + PRICE, haulAt(wishes.data, fitted, slot));
}

/** The score of the offer at `slot` of a class. */
export function scoreAt({ weights, wishes }: Requirement, fitted: FittedClass, slot: number): number {
  return scoreOf(weights, fitted.offerClass.rows, slot * ROW + PRICE, haulAt(wishes.data, fitted, slot));
}

/** Whether the offer at `slot` of a class that passes what classes decide is there and fits. */
export function fitsAt(amounts: Amounts, { offerClass, how }: FittedClass, slot: number): boolean {
  return outcomeOf(offerClass.rows, slot * ROW, amounts, how) === 0 && offerClass.offerAt(slot) !== undefined;
}

/** The offer at `slot` of a class, with its score; throws RangeError for an empty slot. */
export function scoredOffer(fitted: FittedClass, slot: number, score: number): ScoredOffer {
  const offer = fitted.offerClass.offerAt(slot);
  if (offer === undefined) throw new RangeError('an empty slot has no score');
  const idOrder = cell(fitted.offerClass.rows, slot * ROW + ID_ORDER);
  return { tier: offer.tier, score, offer: offer.offer, offerClass: fitted, slot, home: fitted.home, idOrder };
}

/** Only an offer at a site where data lies has another way than the rest of its class. */
function haulAt(data: readonly DataSource[] | undefined, fitted: FittedClass, slot: number): FittedClass['haul'] {
  if (data === undefined || fitted.haul === fitted.leastHaul) return fitted.haul;
  const offer = fitted.offerClass.offerAt(slot);
  if (offer === undefined) return fitted.haul;
  const own = haulTo(data, offer.region, (source) => source.site === offer.site && source.region === offer.region);
  return { ...own, comparable: fitted.haul.comparable };
}
