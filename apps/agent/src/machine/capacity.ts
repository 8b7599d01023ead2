import type { Resources } from '@ringfence/protocol/statements';

/** What a machine has for jobs: thousandths of a CPU and bytes. */
export interface Capacity {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** A place for one attempt. */
export interface Place {
  /** Number of its host user, from 0. */
  readonly slot: number;
  release(): void;
}

/** Gives places out so that attempts together never ask for more than the machine offered, whatever control planes believe. */
export class Places {
  readonly #capacity: Capacity;
  readonly #taken = new Map<number, Resources>();
  readonly #slots: number;

  constructor(capacity: Capacity, slots: number) {
    this.#capacity = capacity;
    this.#slots = slots;
  }

  /** A place for `resources`; undefined when there is none. */
  take(resources: Resources): Place | undefined {
    const sum = (key: keyof Capacity): number =>
      [...this.#taken.values()].reduce((total, held) => total + held[key], resources[key]);
    const fits = (['cpuMilli', 'memoryBytes', 'diskBytes'] as const).every((key) => sum(key) <= this.#capacity[key]);
    const slot = Array.from({ length: this.#slots }, (_, index) => index).find((index) => !this.#taken.has(index));
    if (!fits || slot === undefined || resources.gpus !== undefined) return undefined;
    this.#taken.set(slot, resources);
    return { slot, release: () => void this.#taken.delete(slot) };
  }
}
