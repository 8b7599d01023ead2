import { createHash } from 'node:crypto';
import type { Rng } from '@ringfence/base';

/** All chance of one simulation, from its seed: small fast counter (sfc32, Doty-Humphrey, PractRand) keyed by the hash of the seed. */
export class Chance {
  readonly #words: Uint32Array;
  /** The same chance for code that asks for bytes. */
  readonly rng: Rng = { bytes: (length) => Uint8Array.from({ length }, () => this.below(256)) };

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.#words = Uint32Array.from({ length: 4 }, (_, word) => digest.readUInt32LE(word * 4));
    for (let turn = 0; turn < 16; turn += 1) this.#next();
  }

  /** A whole number below `bound`. */
  below(bound: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * bound);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True one time in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** True in `percent` of all times. */
  percent(percent: number): boolean {
    return this.#next() / 0x1_0000_0000 < percent / 100;
  }

  /** One of `values`. */
  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  #next(): number {
    const words = this.#words;
    const [a = 0, b = 0, c = 0, count = 0] = words;
    const result = (a + b + count) >>> 0;
    words[3] = count + 1;
    words[0] = b ^ (b >>> 9);
    words[1] = c + (c << 3);
    words[2] = ((c << 21) | (c >>> 11)) + result;
    return result;
  }
}
