/** A request that waits for a replica. */
export interface Held {
  /** When it has waited long enough (monotonic milliseconds). */
  readonly until: number;
  /** Whose it is; places and turns are shared among these. */
  readonly caller: string;
}

/** What became of a wish to wait: a place, perhaps that of another request, which then is held no more. */
export type Holding<T> = { readonly held: true; readonly displaced: T | undefined } | { readonly held: false };

/**
 * Requests of one endpoint that wait for a replica. Callers take turns, each with its oldest first, and share the places: when all are
 * taken, a caller gets the newest place of the one who has most, if that one has at least two more than it. So one who fills the queue
 * alone keeps nobody out, and one who waits alone may fill it.
 */
export class HoldQueue<T extends Held> {
  readonly #most: number;
  /** The caller whose turn is next comes first; none is empty. */
  readonly #callers = new Map<string, Set<T>>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Holds `request`, if there is a place for its caller. */
  hold(request: T): Holding<T> {
    let displaced: T | undefined;
    if (this.#size >= this.#most) {
      displaced = this.#newestOfTheLargest((this.#callers.get(request.caller)?.size ?? 0) + 2);
      if (displaced === undefined) return { held: false };
      this.leave(displaced);
    }
    const own = this.#callers.get(request.caller) ?? new Set<T>();
    this.#callers.set(request.caller, own.add(request));
    this.#size += 1;
    return { held: true, displaced };
  }

  /** Lets go of one that its caller left; false when it was not held any more. */
  leave(request: T): boolean {
    const own = this.#callers.get(request.caller);
    if (own?.delete(request) !== true) return false;
    this.#size -= 1;
    if (own.size === 0) this.#callers.delete(request.caller);
    return true;
  }

  /** The oldest of the caller whose turn it is, which then is held no more. */
  next(): T | undefined {
    const [turn] = this.#callers;
    const [first] = turn?.[1] ?? [];
    if (turn === undefined || first === undefined) return undefined;
    const [caller, own] = turn;
    this.leave(first);
    // To the end of the row.
    if (this.#callers.delete(caller)) this.#callers.set(caller, own);
    return first;
  }

  /** Those that have waited long enough at `now`, which then are held no more. */
  expire(now: number): readonly T[] {
    const expired = [...this.#callers.values()].flatMap((own) => [...own].filter(({ until }) => until <= now));
    for (const request of expired) this.leave(request);
    return expired;
  }

  /** When the first has waited long enough. */
  get nextExpiry(): number | undefined {
    if (this.#size === 0) return undefined;
    return Math.min(...[...this.#callers.values()].flatMap((own) => [...own].map(({ until }) => until)));
  }

  /** The newest request of the caller who holds most, when it holds `atLeast` or more. */
  #newestOfTheLargest(atLeast: number): T | undefined {
    let largest: ReadonlySet<T> = new Set();
    for (const own of this.#callers.values()) if (own.size > largest.size) largest = own;
    return largest.size < atLeast ? undefined : [...largest].at(-1);
  }
}
