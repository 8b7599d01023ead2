/** A map of limited size; the entry that was asked for longest ago goes first. */
export class LeastUsed<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  #most: number;

  /** Keeps up to `most` entries. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of `key`, which thereby is the last to go. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** Keeps `value` under `key`. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#trim();
  }

  /** Keeps up to `most` entries from now on. */
  limitTo(most: number): void {
    this.#most = most;
    this.#trim();
  }

  #trim(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) return;
      this.#entries.delete(oldest);
    }
  }

  /** Forgets what is kept under `key`. */
  delete(key: Key): void {
    this.#entries.delete(key);
  }
}
