import type { Clock } from '@ringfence/base';
import { ControlPlaneError } from './control-plane-error.ts';

const MOST_WAITING = 5_000;
/** Time between two turns before any was measured, in milliseconds, and what a new measurement weighs. */
const FIRST_PACE_MS = 10;
const WEIGHT = 0.05;

/** How many work at once, and how long the others may have to wait, in milliseconds. */
interface LineBounds {
  readonly atOnce: number;
  readonly longestWaitMs: number;
  /** What one owner of work has of the line at most; without it all of it. */
  readonly each?: { readonly atOnce: number; readonly mostWaiting: number };
}

/** The work of one owner that has not ended. */
interface Owner {
  readonly waiting: (() => void)[];
  readonly pace: Pace;
  running: number;
}

/**
 * Work that is done so much at once, with a bound on the time that it waits: first come first served for one owner, and owners take turns, so
 * that nobody's flood delays another.
 */
export class WaitingLine {
  readonly #clock: Clock;
  readonly #bounds: LineBounds;
  readonly #each: NonNullable<LineBounds['each']>;
  /** Owners that have work here, whose last turn is longest ago first. */
  readonly #owners = new Map<string, Owner>();
  readonly #pace: Pace;
  #running = 0;
  #waiting = 0;

  constructor(clock: Clock, bounds: LineBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#each = bounds.each ?? { atOnce: bounds.atOnce, mostWaiting: MOST_WAITING };
    this.#pace = new Pace(clock, FIRST_PACE_MS);
  }

  /** Runs `work` in its owner's turn. Throws ControlPlaneError `unavailable` with `retryAfterS` at once when that would come too late. */
  async run<T>(work: () => Promise<T>, ownedBy = ''): Promise<T> {
    const owner = this.#owners.get(ownedBy) ?? { waiting: [], pace: new Pace(this.#clock, this.#pace.ms), running: 0 };
    if (this.#running < this.#bounds.atOnce && owner.running < this.#each.atOnce) this.#begin(ownedBy, owner);
    else await this.#turn(ownedBy, owner);
    try {
      return await work();
    } finally {
      this.#end(ownedBy, owner);
    }
  }

  #turn(ownedBy: string, owner: Owner): Promise<void> {
    const waitMs = this.#waitMs(owner);
    const full = this.#waiting >= MOST_WAITING || owner.waiting.length >= this.#each.mostWaiting;
    if (full || waitMs > this.#bounds.longestWaitMs)
      throw new ControlPlaneError('unavailable', 'more requests wait than can be answered in time', {
        next: 'try again when Retry-After says',
        retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)),
      });
    this.#owners.set(ownedBy, owner);
    this.#waiting += 1;
    return new Promise((resolve) => owner.waiting.push(resolve));
  }

  /** As long as there are free places an owner waits for itself alone; else also for a turn of each of the others before each of its own. */
  #waitMs(owner: Owner): number {
    const own = owner.waiting.length;
    if (this.#running < this.#bounds.atOnce) return own * owner.pace.ms;
    let others = 0;
    for (const other of this.#owners.values()) if (other !== owner && other.waiting.length > 0) others += 1;
    const before = Math.min(this.#waiting, own + (own + 1) * others);
    return Math.max(own * owner.pace.ms, before * this.#pace.ms);
  }

  #begin(ownedBy: string, owner: Owner): void {
    owner.running += 1;
    this.#running += 1;
    this.#owners.delete(ownedBy);
    this.#owners.set(ownedBy, owner);
  }

  #end(ownedBy: string, owner: Owner): void {
    const wasFull = this.#running >= this.#bounds.atOnce;
    owner.running -= 1;
    this.#running -= 1;
    owner.pace.measure(owner.waiting.length > 0);
    if (owner.running === 0 && owner.waiting.length === 0) this.#owners.delete(ownedBy);
    const next = this.#next();
    this.#pace.measure(wasFull && next !== undefined);
    if (next === undefined) return;
    this.#waiting -= 1;
    this.#begin(...next);
    next[1].waiting.shift()?.();
  }

  #next(): [string, Owner] | undefined {
    for (const entry of this.#owners)
      if (entry[1].waiting.length > 0 && entry[1].running < this.#each.atOnce) return entry;
    return undefined;
  }
}

/** How fast something moves. */
class Pace {
  readonly #clock: Clock;
  /** Time between two turns, in milliseconds. */
  ms: number;
  #lastTurn: number | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.ms = ms;
  }

  /** At an end: only while somebody waits does the time between two of them tell. */
  measure(waited: boolean): void {
    const now = this.#clock.monotonic();
    if (waited && this.#lastTurn !== undefined) this.ms += WEIGHT * (Math.min(1_000, now - this.#lastTurn) - this.ms);
    this.#lastTurn = waited ? now : undefined;
  }
}
