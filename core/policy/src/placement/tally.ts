import { OUTCOMES, OUTCOME_FAILURES, outcomeOf, type Amounts } from './amounts.ts';
import { AFTER, BEFORE } from './change-log.ts';
import type { ClassFit, FittedClass } from './class-fit.ts';
import { explain, type Explanation } from './explanation.ts';
import type { Inventory } from './inventory.ts';
import { FLAGS, PRESENT, ROW, cell } from './offer-row-layout.ts';
import { LEANS_ON_TEE, bitOf, type FailureMask } from './placement-constraints.ts';

/** A change costs so much more to follow than an offer to count. */
const FOLLOWING_COST = 4;
const ISOLATION = bitOf('isolation');

/** How many offers of the inventory fail what, for one requirement and its amounts; exact at each {@link update}. */
export class Tally {
  readonly fit: ClassFit;
  readonly amounts: Amounts;
  /** Who was found to be best when it was last asked; a hint only: those slots may hold others by now. */
  lastBest: readonly { readonly offerClass: FittedClass; readonly slot: number }[] = [];
  readonly #byFailures = new Map<FailureMask, number>();
  #position = -1;
  #explanation: Explanation | undefined;

  constructor(fit: ClassFit, amounts: Amounts) {
    this.fit = fit;
    this.amounts = amounts;
  }

  /** How many offers could take the job. */
  get feasible(): number {
    return (this.#byFailures.get(0) ?? 0) + (this.#byFailures.get(LEANS_ON_TEE) ?? 0);
  }

  /** How many offers fail exactly what. */
  get counts(): ReadonlyMap<FailureMask, number> {
    return this.#byFailures;
  }

  /** The counts as people and receipts read them. */
  get explanation(): Explanation {
    // Without the wish for a TEE, a TEE keeps nothing apart: offers with nothing else would be lost.
    const alone = this.fit.requirement.placement.isolation === 'tee' ? ISOLATION : 0;
    this.#explanation ??= explain(this.#byFailures, alone);
    return this.#explanation;
  }

  /** Brings the counts to the inventory's epoch: follows its changes, or counts anew where that is less work. */
  update({ log, size }: Inventory): void {
    const behind = log.end - this.#position;
    if (behind === 0) return;
    if (this.#position < 0 || !log.reaches(this.#position) || behind * FOLLOWING_COST > size + OUTCOMES) this.#count();
    else this.#follow(log.cells, (number) => log.at(number), log.end);
    this.#position = log.end;
  }

  #follow(cells: Float64Array, at: (number: number) => number, end: number): void {
    for (let number = this.#position; number < end; number += 1) {
      const entry = at(number);
      const fitted = this.fit.fitted[cell(cells, entry)];
      if (fitted === undefined) continue;
      const before = this.#failuresAt(cells, entry + BEFORE, fitted);
      const after = this.#failuresAt(cells, entry + AFTER, fitted);
      if (before === after) continue;
      if (before !== undefined) this.#add(before, -1);
      if (after !== undefined) this.#add(after, 1);
      this.#explanation = undefined;
    }
  }

  #failuresAt(cells: Float64Array, start: number, fitted: FittedClass): FailureMask | undefined {
    if ((cell(cells, start + FLAGS) & PRESENT) === 0) return undefined;
    return fitted.failures | (OUTCOME_FAILURES[outcomeOf(cells, start, this.amounts, fitted)] ?? 0);
  }

  #count(): void {
    this.#byFailures.clear();
    this.#explanation = undefined;
    const outcomes = new Int32Array(OUTCOMES);
    const seen: number[] = [];
    for (const fitted of this.fit.fitted) {
      const { rows, slots } = fitted.offerClass;
      for (let slot = 0; slot < slots; slot += 1) {
        if ((cell(rows, slot * ROW + FLAGS) & PRESENT) === 0) continue;
        const outcome = outcomeOf(rows, slot * ROW, this.amounts, fitted);
        if (outcomes[outcome] === 0) seen.push(outcome);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
      for (const outcome of seen) {
        this.#add(fitted.failures | (OUTCOME_FAILURES[outcome] ?? 0), outcomes[outcome] ?? 0);
        outcomes[outcome] = 0;
      }
      seen.length = 0;
    }
  }

  #add(failures: FailureMask, count: number): void {
    const sum = (this.#byFailures.get(failures) ?? 0) + count;
    if (sum === 0) this.#byFailures.delete(failures);
    else this.#byFailures.set(failures, sum);
  }
}
