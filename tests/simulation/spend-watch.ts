import type { EpochMs } from '@ringfence/base';
import type { AttemptRow } from './books.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;

interface Spend {
  readonly hour: number;
  readonly since: number;
  readonly until: number;
  readonly period: number;
  /** By true time. */
  readonly endsBy: number;
  readonly clockSettings: number;
}

/** Keeps what attempts away from home cost and may cost, from the offers' prices, beside the ledger that it judges. */
export class SpendWatch {
  readonly #world: World;
  readonly #fail: (what: string) => never;
  readonly #open = new Map<AttemptRow, Spend>();
  readonly #paid = new Map<number, number>();
  #period = 0;

  constructor(world: World, fail: (what: string) => never) {
    this.#world = world;
    this.#fail = fail;
  }

  placed(row: AttemptRow, of: { hour: number | undefined; coveredMs: number; now: EpochMs }): void {
    const { hour, coveredMs, now } = of;
    const { periodMs } = this.#world.terms.budget;
    const { period } = this.#world.books.burst.ledger;
    if (hour === undefined) return this.#fail('a job went where nobody knows the price');
    if (period < this.#period || period < Math.floor(now / periodMs)) this.#fail('a period of the budget went back');
    this.#period = period;
    const { clockSettings, timeline } = this.#world;
    const endsBy = timeline.now + coveredMs;
    this.#open.set(row, { hour, since: now, until: now + coveredMs, period, endsBy, clockSettings });
    this.#world.watch.count('placed away within the budget');
  }

  /** Its process is gone; whether its end is known is another matter. */
  exited(row: AttemptRow): void {
    const spend = this.#open.get(row);
    if (spend === undefined || spend.clockSettings !== this.#world.clockSettings) return;
    if (this.#world.timeline.now > spend.endsBy) this.#fail('an attempt ran past what the budget covers');
  }

  over(row: AttemptRow): void {
    const spend = this.#open.get(row);
    if (spend === undefined) return;
    this.#open.delete(row);
    const ms = Math.max(0, Math.min(this.#world.wall(), spend.until) - spend.since);
    this.#paid.set(spend.period, (this.#paid.get(spend.period) ?? 0) + Math.ceil((spend.hour * ms) / HOUR_MS));
  }

  afterEvent(): void {
    const held = new Map<number, number>();
    for (const { hour, since, until, period } of this.#open.values())
      held.set(period, (held.get(period) ?? 0) + Math.ceil((hour * (until - since)) / HOUR_MS));
    for (const [period, reserved] of held) {
      const spent = this.#paid.get(period) ?? 0;
      const { microUnits } = this.#world.terms.budget;
      if (spent + reserved > microUnits) this.#fail(`${spent} spent and ${reserved} reserved of ${microUnits}`);
    }
  }
}
