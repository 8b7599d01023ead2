import type { GpuCard } from '../gpu/gpu-card.ts';
import type { GpuCards, GpuRefusal } from '../gpu/gpu-cards.ts';
import type { Resources } from '@ringfence/protocol/statements';

/** What a machine has for jobs: thousandths of a CPU and bytes. */
export interface Capacity {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** The least disk of a job, in bytes: what a job file can ask at least (`disk`, core/protocol/src/job-file/amount.ts). */
const LEAST_DISK = 1_000_000;

/** The disk that a job gets, in bytes: what it signed, or the least where that is less; a signed 0 is no leave to fill the disk. */
export function diskOf({ diskBytes }: Pick<Resources, 'diskBytes'>): number {
  return Math.max(diskBytes, LEAST_DISK);
}

/** A place for one attempt. */
export interface Place {
  /** Number of its host user, from 0. */
  readonly slot: number;
  /** Graphics cards that it alone uses. */
  readonly cards: readonly GpuCard[];
  release(): void;
}

/** Why there is no place: processors, memory or disk are taken, too many attempts run, or a card is missing. */
export type PlaceRefusal = 'full' | 'no-slot' | GpuRefusal;

/** Gives places out so that attempts together never ask for more than the machine offered, whatever control planes believe. */
export class Places {
  readonly #capacity: Capacity;
  readonly #taken = new Map<number, Resources>();
  readonly #slots: number;
  readonly #gpus: GpuCards;

  constructor(capacity: Capacity, slots: number, gpus: GpuCards) {
    this.#capacity = capacity;
    this.#slots = slots;
    this.#gpus = gpus;
  }

  /** A place for `resources`; why there is none otherwise. */
  async take(resources: Resources): Promise<Place | PlaceRefusal> {
    const asked = { ...resources, diskBytes: diskOf(resources) };
    const sum = (key: keyof Capacity): number =>
      [...this.#taken.values()].reduce((total, held) => total + held[key], asked[key]);
    const fits = (['cpuMilli', 'memoryBytes', 'diskBytes'] as const).every((key) => sum(key) <= this.#capacity[key]);
    const slot = Array.from({ length: this.#slots }, (_, index) => index).find((index) => !this.#taken.has(index));
    if (!fits || slot === undefined) return slot === undefined ? 'no-slot' : 'full';
    this.#taken.set(slot, asked);
    const release = (): void => void this.#taken.delete(slot);
    if (resources.gpus === undefined) return { slot, cards: [], release };
    const held = await this.#gpus.take(resources.gpus).catch(() => 'gpu-driver' as const);
    if (typeof held !== 'string') return { slot, cards: held.cards, release: () => [release(), held.release()] };
    release();
    return held;
  }
}
