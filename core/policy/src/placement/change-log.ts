import { rowAmountCode, rowCardCode } from './free-code.ts';
import type { OfferClass } from './offer-class.ts';
import { CPU, LOGGED, PRICE, ROW } from './offer-row-layout.ts';

/** Within a head: the class, the slot, its record, 1 if more changed than what is free, and what was free as codes. */
export const OFFER_CLASS = 0;
export const SLOT = 1;
export const RECORD = 2;
export const MORE_THAN_FREE = 3;
export const AMOUNT_CODE = 4;
export const CARD_CODE = 5;
export const HEAD = CARD_CODE + 1;
/** Within a record: the codes of what is free now. */
export const AMOUNT_CODE_NOW = 0;
export const CARD_CODE_NOW = 1;
export const NOW = CARD_CODE_NOW + 1;

const LEAST_RECORDS = 64;
const NOTHING = 0;
const FREE = 1;
const MORE = 2;

/**
 * The latest changes of an inventory, so that what was counted before can be brought up to date. What a slot held at some change is
 * told by the first change there since; what it holds now, by its row.
 */
export class ChangeLog {
  /** The heads of all changes, in a ring; {@link placeOf} says which is whose. */
  readonly heads: Int32Array;
  /** For each change the number of the one before it at the same slot; less than 0 if there is none. */
  readonly previous: Float64Array;
  /** The first {@link LOGGED} cells of each row before its change, in a ring; an empty row is no offer. */
  readonly rows: Float64Array;
  /** For each slot that ever changed, under the number of its record, what is free there now; see {@link NOW}. */
  now = new Int32Array(LEAST_RECORDS * NOW);
  readonly length: number;
  readonly #row = new Float64Array(ROW);
  #end = 0;
  #begin = 0;
  #lastMore = -1;
  #latest = new Float64Array(LEAST_RECORDS);
  /** Record 0 is nobody's. */
  #records = 1;

  /** Keeps the last `length` changes. */
  constructor(length: number) {
    this.length = length;
    this.heads = new Int32Array(length * HEAD);
    this.previous = new Float64Array(length);
    this.rows = new Float64Array(length * LOGGED);
  }

  /** The number of the next change. */
  get end(): number {
    return this.#end;
  }

  /** Whether all changes from number `position` on are still here. */
  reaches(position: number): boolean {
    return position >= this.#begin;
  }

  /** Whether a change from number `position` on was of more than what is free. */
  hasMoreSince(position: number): boolean {
    return this.#lastMore >= position;
  }

  /** Where in the rings change `number` lies, of which {@link reaches} has to be true. */
  placeOf(number: number): number {
    return number % this.length;
  }

  /** Forgets all changes, after one that is not written here. */
  reset(): void {
    this.#end += 1;
    this.#begin = this.#end;
  }

  /** Forgets all records too, when no class names one any more. */
  forgetRecords(): void {
    this.reset();
    this.#records = 1;
  }

  /** Begins a change at `slot` of a class: keeps the row as it is now. {@link commit} ends it. */
  begin({ rows }: OfferClass, slot: number): void {
    const start = slot * ROW;
    for (let place = 0; place < ROW; place += 1) this.#row[place] = rows[start + place] ?? 0;
  }

  /** Ends the change that was begun at `slot` of a class, whose number is `number`; nothing is written if the row is as it was. */
  commit(offerClass: OfferClass, slot: number, number: number): void {
    const extent = this.#extent(offerClass.rows, slot * ROW);
    if (extent === NOTHING) return;
    const at = this.placeOf(this.#end);
    for (let place = 0; place < LOGGED; place += 1) this.rows[at * LOGGED + place] = this.#row[place] ?? 0;
    const record = this.#recordOf(offerClass, slot);
    const head = at * HEAD;
    this.heads[head + OFFER_CLASS] = number;
    this.heads[head + SLOT] = slot;
    this.heads[head + RECORD] = record;
    this.heads[head + MORE_THAN_FREE] = extent === MORE ? 1 : 0;
    this.heads[head + AMOUNT_CODE] = rowAmountCode(this.#row, 0);
    this.heads[head + CARD_CODE] = rowCardCode(this.#row, 0);
    this.previous[at] = this.#latest[record] ?? -1;
    this.#latest[record] = this.#end;
    this.now[record * NOW + AMOUNT_CODE_NOW] = rowAmountCode(offerClass.rows, slot * ROW);
    this.now[record * NOW + CARD_CODE_NOW] = rowCardCode(offerClass.rows, slot * ROW);
    if (extent === MORE) this.#lastMore = this.#end;
    this.#end += 1;
    if (this.#end - this.#begin > this.length) this.#begin = this.#end - this.length;
  }

  #recordOf({ records }: OfferClass, slot: number): number {
    const known = records[slot] ?? 0;
    if (known !== 0) return known;
    const record = this.#records;
    this.#records += 1;
    if (record >= this.#latest.length) {
      const latest = new Float64Array(2 * record);
      latest.set(this.#latest);
      this.#latest = latest;
      const now = new Int32Array(2 * record * NOW);
      now.set(this.now);
      this.now = now;
    }
    this.#latest[record] = -1;
    records[slot] = record;
    return record;
  }

  #extent(rows: Float64Array, start: number): number {
    let extent = NOTHING;
    for (let place = 0; place < ROW; place += 1) {
      if (rows[start + place] === this.#row[place]) continue;
      if (place < CPU || place >= PRICE) return MORE;
      extent = FREE;
    }
    return extent;
  }
}
