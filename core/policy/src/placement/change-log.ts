import { LOGGED } from './offer-row-layout.ts';

/** Within an entry: first the number of the class, then the row before, then the row after; an empty row is no offer. */
export const BEFORE = 1;
export const AFTER = BEFORE + LOGGED;
const ENTRY = AFTER + LOGGED;

/** The latest changes of an inventory, so that what was counted before can be brought up to date. */
export class ChangeLog {
  readonly #cells: Float64Array;
  readonly #length: number;
  #end = 0;
  #begin = 0;

  /** Keeps the last `length` changes. */
  constructor(length: number) {
    this.#length = length;
    this.#cells = new Float64Array(length * ENTRY);
  }

  /** The number of the next change. */
  get end(): number {
    return this.#end;
  }

  /** Whether all changes from number `position` on are still here. */
  reaches(position: number): boolean {
    return position >= this.#begin;
  }

  /** Forgets all changes, after one that is not written here. */
  reset(): void {
    this.#end += 1;
    this.#begin = this.#end;
  }

  /** Begins a change: keeps the row as it is now. {@link commit} ends it. */
  begin(offerClass: number, rows: Float64Array, start: number): void {
    const entry = this.at(this.#end);
    this.#cells[entry] = offerClass;
    for (let place = 0; place < LOGGED; place += 1) this.#cells[entry + BEFORE + place] = rows[start + place] ?? 0;
  }

  /** Ends the change that was begun, with the row as it is now. */
  commit(rows: Float64Array, start: number): void {
    const entry = this.at(this.#end);
    for (let place = 0; place < LOGGED; place += 1) this.#cells[entry + AFTER + place] = rows[start + place] ?? 0;
    this.#end += 1;
    if (this.#end - this.#begin > this.#length) this.#begin = this.#end - this.#length;
  }

  /** All entries; {@link at} says where one begins. */
  get cells(): Float64Array {
    return this.#cells;
  }

  /** Where change `number`, which {@link reaches} has to be true of, begins in {@link cells}. */
  at(number: number): number {
    return (number % this.#length) * ENTRY;
  }
}
