import type { Clock } from '@ringfence/base';
import { StoreError } from '../store-error.ts';

interface Waiting {
  readonly go: () => void;
}

/**
 * Calls that wait for a connection, first come first served. It stands before the pool, whose time-out of a connection that is made would
 * else cover the wait too, so that a burst was told that the database is away.
 */
export class ConnectionQueue {
  readonly #most: number;
  readonly #withinMs: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #taken = 0;

  /** `most` calls have a connection at once; one that waited `withinMs` milliseconds is told to come again. */
  constructor(options: { readonly most: number; readonly withinMs: number; readonly clock: Clock }) {
    this.#most = options.most;
    this.#withinMs = options.withinMs;
    this.#clock = options.clock;
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when the caller may take a connection. Throws StoreError `unavailable` after too long. */
  async enter(): Promise<void> {
    if (this.#taken < this.#most) {
      this.#taken += 1;
      return;
    }
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#withinMs, () => {
        if (this.#waiting.delete(waiting)) reject(tooLong());
      });
      const waiting = {
        go: () => {
          cancel();
          resolve();
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /** The caller has given its connection back: the next one may take it. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.go();
  }
}

function tooLong(): StoreError {
  return new StoreError('unavailable', 'every connection to the database was in use for too long', {
    next: 'try again a little later; nothing was changed',
  });
}
