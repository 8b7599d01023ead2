import type { Rng } from '@ringfence/base';

const HEAP = 4_096;

/** Standard normal numbers for first weights and simulations (Box and Muller): never noise for privacy, which floats would give away. */
export class NormalNumbers {
  readonly #rng: Rng;
  #words: Uint32Array = new Uint32Array(0);
  #at = 0;
  #kept: number | undefined;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  next(): number {
    if (this.#kept !== undefined) {
      const kept = this.#kept;
      this.#kept = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(this.#uniform()));
    const angle = 2 * Math.PI * this.#uniform();
    this.#kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** In (0, 1). */
  #uniform(): number {
    if (this.#at === this.#words.length) {
      const bytes = this.#rng.bytes(HEAP);
      this.#words = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      this.#at = 0;
    }
    this.#at += 1;
    return ((this.#words[this.#at - 1] as number) + 0.5) / 2 ** 32;
  }
}
