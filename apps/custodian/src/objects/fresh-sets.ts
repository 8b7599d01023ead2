import type { Clock } from '@ringfence/base';

/** For so long a list is taken as it is: a job's data is read object by object. */
const FRESH_MS = 1_000;

/** What belongs to a key. */
export type Sets<V> = readonly ReadonlySet<V>[];

/**
 * Sets by key, loaded when they are asked for and kept for a second. However many ask at once, one load runs for each key. "Yes" may come from
 * a load of a moment ago; "no" comes only from one that began after the question, for what is asked about may have been granted just now.
 */
export class FreshSets<K, V> {
  readonly #clock: Clock;
  readonly #kept = new Map<K, { readonly at: number; readonly sets: Sets<V> }>();
  readonly #loading = new Map<K, Promise<Sets<V>>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys that something is remembered of. */
  get size(): number {
    return this.#kept.size + this.#loading.size;
  }

  /** Whether a set of `key` has `value`. Throws what `load` throws. */
  async has(key: K, value: V, load: () => Promise<Sets<V>>): Promise<boolean> {
    this.#forgetOld();
    if (holds(this.#kept.get(key)?.sets ?? [], value)) return true;
    // It began before this question.
    const earlier = this.#loading.get(key);
    if (earlier !== undefined && holds(await earlier.catch(() => []), value)) return true;
    return holds(await (this.#loading.get(key) ?? this.#load(key, load)), value);
  }

  #load(key: K, load: () => Promise<Sets<V>>): Promise<Sets<V>> {
    const at = this.#clock.monotonic();
    const loading = load()
      .then((sets) => {
        this.#kept.set(key, { at, sets });
        return sets;
      })
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  #forgetOld(): void {
    const now = this.#clock.monotonic();
    for (const [key, { at }] of this.#kept) if (now - at >= FRESH_MS) this.#kept.delete(key);
  }
}

function holds<V>(sets: Sets<V>, value: V): boolean {
  return sets.some((set) => set.has(value));
}
