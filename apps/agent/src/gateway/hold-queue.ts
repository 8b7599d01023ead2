/** A request that waits for a replica. */
export interface Held {
  /** When it has waited long enough (monotonic milliseconds). */
  readonly until: number;
}

/** Requests of one endpoint that wait for a replica, oldest first; each waits equally long at most. */
export class HoldQueue<T extends Held> {
  readonly #most: number;
  readonly #held = new Set<T>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Holds `request`; false when there is no place. */
  hold(request: T): boolean {
    if (this.#held.size >= this.#most) return false;
    this.#held.add(request);
    return true;
  }

  /** Lets go of one that its caller left; false when it was not held any more. */
  leave(request: T): boolean {
    return this.#held.delete(request);
  }

  /** The oldest, which then is held no more. */
  next(): T | undefined {
    const [first] = this.#held;
    if (first !== undefined) this.#held.delete(first);
    return first;
  }

  /** Those that have waited long enough at `now`, which then are held no more. */
  expire(now: number): readonly T[] {
    const expired: T[] = [];
    for (const request of this.#held) {
      if (request.until > now) break;
      expired.push(request);
      this.#held.delete(request);
    }
    return expired;
  }

  /** When the oldest has waited long enough. */
  get nextExpiry(): number | undefined {
    const [first] = this.#held;
    return first?.until;
  }
}
