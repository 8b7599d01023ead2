import { messageOf } from '@ringfence/base';
import type { Offer } from '@ringfence/protocol/messages';
import type { Resources } from '@ringfence/protocol/statements';
import type { GpuCard } from './gpu-card.ts';
import { NvidiaSmi, type CardUse } from './nvidia-smi.ts';

/** Cards that one attempt holds. */
export interface HeldCards {
  readonly cards: readonly GpuCard[];
  release(): void;
}

/** Why cards cannot be given. */
export type GpuRefusal = 'no-gpu' | 'gpu-model' | 'gpu-memory' | 'gpu-count' | 'gpu-in-use' | 'gpu-driver';

type Want = NonNullable<Resources['gpus']>;

/** The graphics cards of this machine: each is held by one attempt at most, and none is given while another process computes on it. */
export class GpuCards {
  readonly #smi: NvidiaSmi | undefined;
  /** In use by others when the agent started. */
  readonly #foreign: ReadonlySet<string>;
  readonly all: readonly GpuCard[];
  readonly #held = new Set<string>();

  /** The driver is there and does not answer. */
  problem: string | undefined;

  private constructor(smi: NvidiaSmi | undefined, all: readonly GpuCard[], foreign: ReadonlySet<string>) {
    this.#smi = smi;
    this.all = all;
    this.#foreign = foreign;
  }

  /** A machine without cards. */
  static none(): GpuCards {
    return new GpuCards(undefined, [], new Set());
  }

  /** What `smi` finds. Rejects when the driver does not answer. */
  static async look(smi: NvidiaSmi): Promise<GpuCards> {
    const all = await smi.cards();
    return new GpuCards(smi, all, all.length === 0 ? new Set() : await smi.busy());
  }

  /** Free cards by kind, as an offer lists them. */
  get offered(): Offer['gpus'] {
    const kinds = new Map<string, Offer['gpus'][number]>();
    for (const { uuid, model, memoryBytes } of this.all) {
      if (this.#foreign.has(uuid)) continue;
      const key = `${model} ${memoryBytes}`;
      kinds.set(key, { model, memoryBytes, count: (kinds.get(key)?.count ?? 0) + 1 });
    }
    return [...kinds.values()].slice(0, 16);
  }

  /** Cards for `want`, all of one kind; the reason when there are none. */
  async take(want: Want): Promise<HeldCards | GpuRefusal> {
    const fitting = fit(this.all, want);
    if (typeof fitting === 'string') return fitting;
    let busy: ReadonlySet<string>;
    try {
      busy = (await this.#smi?.busy()) ?? new Set();
    } catch {
      return 'gpu-driver';
    }
    // Nothing is awaited from here on: two attempts at once never choose the same card.
    const free = fitting.filter(({ uuid }) => !busy.has(uuid) && !this.#held.has(uuid));
    const cards = ofOneKind(free, want.count);
    if (cards === undefined) return 'gpu-in-use';
    for (const { uuid } of cards) this.#held.add(uuid);
    return { cards, release: () => cards.forEach(({ uuid }) => this.#held.delete(uuid)) };
  }

  /** What each of `cards` does now, in their order; nothing for a card that does not say. */
  async use(cards: readonly GpuCard[]): Promise<readonly (CardUse | undefined)[]> {
    if (cards.length === 0 || this.#smi === undefined) return [];
    const use = await this.#smi.use();
    return cards.map(({ index }) => use.get(index));
  }
}

function fit(all: readonly GpuCard[], { model, memoryBytes, count }: Want): readonly GpuCard[] | GpuRefusal {
  if (all.length === 0) return 'no-gpu';
  const named = all.filter((card) => model === undefined || card.model === model);
  if (named.length === 0) return 'gpu-model';
  const large = named.filter((card) => card.memoryBytes >= memoryBytes);
  if (large.length === 0) return 'gpu-memory';
  return ofOneKind(large, count) === undefined ? 'gpu-count' : large;
}

/** The smallest that are enough, by index: larger ones stay for who needs them. */
function ofOneKind(cards: readonly GpuCard[], count: number): readonly GpuCard[] | undefined {
  const bySize = cards.toSorted((a, b) => a.memoryBytes - b.memoryBytes || a.index - b.index);
  for (const { model, memoryBytes } of bySize) {
    const same = bySize.filter((card) => card.model === model && card.memoryBytes === memoryBytes);
    if (same.length >= count) return same.slice(0, count);
  }
  return undefined;
}

/** The cards that `program` finds; none where it is absent, or where the driver does not answer, with the reason. */
export async function lookForCards(program: string | null): Promise<GpuCards> {
  if (program === null) return GpuCards.none();
  try {
    return await GpuCards.look(new NvidiaSmi(program));
  } catch (error) {
    const none = GpuCards.none();
    none.problem = messageOf(error).split('\n', 1).join();
    return none;
  }
}
