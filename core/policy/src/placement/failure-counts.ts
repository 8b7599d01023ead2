import type { FailureMask } from './placement-constraints.ts';

const LEAST_SIZE = 64;
/** Knuth's multiplicative hashing: 2³² divided by the golden ratio. */
const SPREAD = 0x9e3779b1;

/** How many offers fail exactly what: counts by mask, in arrays, since every change of an offer may move two of them. */
export class FailureCounts {
  /** The masks that ever had a count; {@link counts} has what they have now, which may be 0. */
  #masks = new Int32Array(LEAST_SIZE / 2);
  #counts = new Int32Array(LEAST_SIZE / 2);
  /** Places in the arrays, one up; 0 is empty. Open addressing, at most half full. */
  #index = new Int32Array(LEAST_SIZE);
  #shift = 32 - Math.log2(LEAST_SIZE);
  #length = 0;

  /** How many places are in use. */
  get length(): number {
    return this.#length;
  }

  /** The mask at `place`. */
  maskAt(place: number): FailureMask {
    return this.#masks[place] ?? 0;
  }

  /** How many offers fail exactly what is in the mask at `place`; may be none. */
  countAt(place: number): number {
    return this.#counts[place] ?? 0;
  }

  /** How many offers fail exactly `mask`. */
  of(mask: FailureMask): number {
    const at = this.#index[this.#find(mask)] ?? 0;
    return at === 0 ? 0 : (this.#counts[at - 1] ?? 0);
  }

  /** Counts `count` more, or with a negative one fewer. */
  add(mask: FailureMask, count: number): void {
    const found = this.#find(mask);
    const at = this.#index[found] ?? 0;
    if (at !== 0) {
      this.#counts[at - 1] = (this.#counts[at - 1] ?? 0) + count;
      return;
    }
    this.#masks[this.#length] = mask;
    this.#counts[this.#length] = count;
    this.#length += 1;
    this.#index[found] = this.#length;
    if (this.#length * 2 >= this.#index.length) this.#grow();
  }

  /** Forgets everything. */
  clear(): void {
    this.#index.fill(0);
    this.#length = 0;
  }

  #find(mask: FailureMask): number {
    const last = this.#index.length - 1;
    let at = Math.imul(mask, SPREAD) >>> this.#shift;
    for (;;) {
      const found = this.#index[at] ?? 0;
      if (found === 0 || this.#masks[found - 1] === mask) return at;
      at = (at + 1) & last;
    }
  }

  #grow(): void {
    const [masks, counts, length] = [this.#masks, this.#counts, this.#length];
    let used = 0;
    for (const count of counts) if (count !== 0) used += 1;
    // Masks that nothing fails any more make room for others.
    const size = used * 4 < this.#index.length ? this.#index.length : this.#index.length * 2;
    this.#index = new Int32Array(size);
    this.#masks = new Int32Array(size / 2);
    this.#counts = new Int32Array(size / 2);
    this.#shift = 32 - Math.log2(size);
    this.#length = 0;
    for (let place = 0; place < length; place += 1) {
      const count = counts[place] ?? 0;
      if (count !== 0) this.add(masks[place] ?? 0, count);
    }
  }
}
