import { clientNetwork, type Clock } from '@ringfence/base';
import { tooSoon } from '../members/too-soon.ts';

/** Ceremonies that a network begins at once after a pause, and a minute from then on: an office shares an address. */
const AT_ONCE = 60;
const PER_MINUTE = 60;
const MOST_NETWORKS = 50_000;
const EACH_MS = 60_000 / PER_MINUTE;

/**
 * How many ceremonies strangers begin, by network and bounded: each leaves a row for some minutes, whoever asked (GCRA, ITU-T I.371). Of this
 * process alone.
 */
export class BeginRate {
  readonly #clock: Clock;
  /** When each network's allowance is whole again, that of whoever began longest ago first. */
  readonly #wholeAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one from `address`. Throws ControlPlaneError `too-much` where it has to wait. */
  take(address: string): void {
    const network = clientNetwork(address);
    const now = this.#clock.monotonic();
    const whole = Math.max(now, this.#wholeAt.get(network) ?? now) + EACH_MS;
    const wait = whole - now - AT_ONCE * EACH_MS;
    if (wait > 0) throw tooSoon(wait);
    this.#wholeAt.delete(network);
    this.#wholeAt.set(network, whole);
    const [oldest] = this.#wholeAt.keys();
    if (this.#wholeAt.size > MOST_NETWORKS && oldest !== undefined) this.#wholeAt.delete(oldest);
  }
}
