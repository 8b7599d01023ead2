import { clientNetwork, type Clock, type MonotonicMs } from '@ringfence/base';
import { tooSoon } from './too-soon.ts';

/** So many wrong tries of one address cost it nothing: people share addresses. */
const FREE_TRIES = 20;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 900_000;
/** After so long without a wrong try an address is forgotten; the oldest is, when there are too many. */
const FORGOTTEN_AFTER_MS = 3_600_000;
const MOST_ADDRESSES = 50_000;

interface Tries {
  readonly wrong: number;
  readonly until: MonotonicMs;
  readonly at: MonotonicMs;
}

/** Wrong tries by address (IPv6: by /64), of this process alone and bounded; a flood is sent away before anything is hashed or asked of the database. */
export class AddressTries {
  readonly #clock: Clock;
  /** The one that was wrong longest ago first. */
  readonly #tries = new Map<string, Tries>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws ControlPlaneError `too-much` where the address has to wait. */
  assertMayTry(address: string): void {
    const known = this.#tries.get(clientNetwork(address));
    const wait = (known?.until ?? 0) - this.#clock.monotonic();
    if (wait > 0) throw tooSoon(wait);
  }

  /** Counts a wrong try. */
  wrong(address: string): void {
    const network = clientNetwork(address);
    const now = this.#clock.monotonic();
    const known = this.#tries.get(network);
    const wrong = known === undefined || now - known.at > FORGOTTEN_AFTER_MS ? 1 : known.wrong + 1;
    const over = wrong - FREE_TRIES;
    const wait = over <= 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(over - 1, 10));
    this.#tries.delete(network);
    this.#tries.set(network, { wrong, until: (now + wait) as MonotonicMs, at: now });
    if (this.#tries.size <= MOST_ADDRESSES) return;
    const [oldest] = this.#tries.keys();
    if (oldest !== undefined) this.#tries.delete(oldest);
  }
}
