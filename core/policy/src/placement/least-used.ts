interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  before: Entry<Key, Value> | undefined;
  after: Entry<Key, Value> | undefined;
}

/** A map of limited size; the entry that was asked for longest ago goes first. */
export class LeastUsed<Key, Value> {
  readonly #entries = new Map<Key, Entry<Key, Value>>();
  #oldest: Entry<Key, Value> | undefined;
  #newest: Entry<Key, Value> | undefined;
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
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.value;
  }

  /** Keeps `value` under `key`. */
  set(key: Key, value: Value): void {
    this.delete(key);
    const entry = { key, value, before: undefined, after: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.#trim();
  }

  /** Keeps up to `most` entries from now on. */
  limitTo(most: number): void {
    this.#most = most;
    this.#trim();
  }

  /** Forgets what is kept under `key`. */
  delete(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  #trim(): void {
    while (this.#entries.size > this.#most && this.#oldest !== undefined) this.delete(this.#oldest.key);
  }

  #append(entry: Entry<Key, Value>): void {
    entry.before = this.#newest;
    entry.after = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.after = entry;
    this.#newest = entry;
  }

  #unlink({ before, after }: Entry<Key, Value>): void {
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#newest = before;
    else after.before = before;
  }
}
