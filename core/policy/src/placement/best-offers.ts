import type { OfferId } from '@ringfence/base';
import type { ClassFit, FittedClass } from './class-fit.ts';
import { ID_ORDER, ROW, cell } from './offer-row-layout.ts';
import { compareRanked } from './score.ts';
import { scoredOffer, type ScoredOffer } from './scored-offer.ts';

/** Within a place: the class, the slot there, 0 at home, and the tier's place in the list. */
const IN_CLASS = 1;
const HOME = 2;
const TIER = 3;
const PLACE = TIER + 1;

/**
 * The best of the offers that fit, best first, as far down as they are known: whatever fits and ranks before the last of them is
 * among them. What goes leaves the list shorter; what comes gets in only before the last, unless the list has all there are.
 */
export class BestOffers {
  readonly #fit: ClassFit;
  #scores = new Float64Array(0);
  #idOrders = new Float64Array(0);
  #places = new Int32Array(0);
  #length = 0;
  #most = 0;
  #all = false;

  /** Keeps offers of the classes of `fit`; none at first. */
  constructor(fit: ClassFit) {
    this.#fit = fit;
  }

  /** The first `count` but those in `except`; undefined if that is not known. */
  first(count: number, except?: ReadonlySet<OfferId>): ScoredOffer[] | undefined {
    const found: ScoredOffer[] = [];
    for (let place = 0; place < this.#length && found.length < count; place += 1) {
      const offer = this.#at(place);
      if (except?.has(offer.offer) !== true) found.push(offer);
    }
    return this.#all || found.length >= count ? found : undefined;
  }

  /**
   * Begins to look for the best `most` offers there are, more than are kept, with those that are kept: from now on everything that
   * fits has to come by {@link add}, but for what {@link mayRank} or {@link mayHold} leave out. {@link end} ends it.
   */
  begin(most: number): void {
    if (most >= this.#scores.length) {
      const { scores, idOrders, places } = { scores: this.#scores, idOrders: this.#idOrders, places: this.#places };
      this.#scores = new Float64Array(most + 1);
      this.#idOrders = new Float64Array(most + 1);
      this.#places = new Int32Array(PLACE * (most + 1));
      this.#scores.set(scores);
      this.#idOrders.set(idOrders);
      this.#places.set(places);
    }
    this.#most = most;
    this.#all = true;
  }

  /** Ends what {@link begin} began. */
  end(): void {
    this.#all = this.#length < this.#most;
  }

  /** Whether an offer of this home and no less than this score may be among the most that are looked for. */
  mayRank(home: number, score: number): boolean {
    if (this.#length < this.#most) return true;
    const last = this.#length - 1;
    const theirs = this.#places[PLACE * last + HOME] ?? 0;
    return home < theirs || (home === theirs && score <= cell(this.#scores, last));
  }

  /** Whether an offer of this class, with no less than this score and order of its id, may be among them. */
  mayHold({ home, tierPlace }: FittedClass, score: number, idOrder: number): boolean {
    if (this.#length < this.#most) return true;
    const last = this.#length - 1;
    if (home !== this.#places[PLACE * last + HOME]) return home < (this.#places[PLACE * last + HOME] ?? 0);
    if (score !== this.#scores[last]) return score < cell(this.#scores, last);
    const tier = this.#places[PLACE * last + TIER] ?? 0;
    return tierPlace === tier ? idOrder <= cell(this.#idOrders, last) : tierPlace < tier;
  }

  /** Whether what lies at `slot` of a class is in. */
  has(number: number, slot: number): boolean {
    for (let at = 0; at < PLACE * this.#length; at += PLACE) {
      if (this.#places[at + IN_CLASS] === slot && this.#places[at] === number) return true;
    }
    return false;
  }

  /** Forgets everything. */
  clear(): void {
    this.#length = 0;
    this.#all = false;
  }

  /** Whether an offer of this home and score may rank before the last. */
  mayTake(home: number, score: number): boolean {
    if (this.#all) return true;
    if (this.#length === 0) return false;
    const last = this.#places[PLACE * (this.#length - 1) + HOME] ?? 0;
    return home < last || (home === last && score <= cell(this.#scores, this.#length - 1));
  }

  /** Puts in the offer at `slot`, which fits now and was not in; nothing happens if it does not rank before the last. */
  add(offerClass: FittedClass, slot: number, score: number): void {
    let place = this.#length;
    while (place > 0 && this.#isBefore(offerClass, slot, score, place - 1)) place -= 1;
    if (place === this.#length && !this.#all) return;
    for (let from = this.#length - 1; from >= place; from -= 1) this.#copy(from, from + 1);
    this.#write(place, offerClass, slot, score);
    this.#length += 1;
    if (this.#length <= this.#most) return;
    this.#length = this.#most;
    this.#all = false;
  }

  /** Takes out what lies at `slot` of a class, if it is in. */
  remove(number: number, slot: number): void {
    const places = this.#places;
    for (let place = 0; place < this.#length; place += 1) {
      if (places[PLACE * place + IN_CLASS] !== slot || places[PLACE * place] !== number) continue;
      this.#length -= 1;
      for (let to = place; to < this.#length; to += 1) this.#copy(to + 1, to);
      return;
    }
  }

  #isBefore(offerClass: FittedClass, slot: number, score: number, place: number): boolean {
    const home = this.#places[PLACE * place + HOME] ?? 0;
    if (offerClass.home !== home) return offerClass.home < home;
    const theirs = cell(this.#scores, place);
    if (score !== theirs) return score < theirs;
    const tier = this.#places[PLACE * place + TIER] ?? 0;
    if (offerClass.tierPlace !== tier) return offerClass.tierPlace < tier;
    const idOrder = cell(offerClass.offerClass.rows, slot * ROW + ID_ORDER);
    const theirOrder = cell(this.#idOrders, place);
    if (idOrder !== theirOrder) return idOrder < theirOrder;
    return compareRanked(scoredOffer(offerClass, slot, score), this.#at(place)) < 0;
  }

  #copy(from: number, to: number): void {
    this.#scores[to] = cell(this.#scores, from);
    this.#idOrders[to] = cell(this.#idOrders, from);
    for (let part = 0; part < PLACE; part += 1)
      this.#places[PLACE * to + part] = this.#places[PLACE * from + part] ?? 0;
  }

  #at(place: number): ScoredOffer {
    const offerClass = this.#fit.fitted[this.#places[PLACE * place] ?? 0];
    if (offerClass === undefined) throw new RangeError('an offer of no class');
    return scoredOffer(offerClass, this.#places[PLACE * place + IN_CLASS] ?? 0, cell(this.#scores, place));
  }

  #write(place: number, { number, home, tierPlace, offerClass }: FittedClass, slot: number, score: number): void {
    this.#scores[place] = score;
    this.#idOrders[place] = cell(offerClass.rows, slot * ROW + ID_ORDER);
    this.#places[PLACE * place] = number;
    this.#places[PLACE * place + IN_CLASS] = slot;
    this.#places[PLACE * place + HOME] = home;
    this.#places[PLACE * place + TIER] = tierPlace;
  }
}
