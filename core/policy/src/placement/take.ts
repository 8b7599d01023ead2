import type { PlacementPart } from '@ringfence/protocol/statements';
import { WHOLE_GPU, type FreeCapacity, type GpuCards } from './placement-offer.ts';
import type { PlacementWishes } from './requirement.ts';

/** Cards that one job gets: which of a kind, and how much of each in thousandths. */
export interface TakenGpus {
  readonly model: string;
  readonly memoryBytes: number;
  readonly cards: readonly number[];
  readonly milli: number;
}

/** What one job gets of an offer. */
export interface Take {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus?: TakenGpus;
}

type Gpus = PlacementPart['resources']['gpus'];

/** Whether `kind` is what a job asks for, but for how many are free. */
export function isKind({ model, memoryBytes }: GpuCards, want: NonNullable<Gpus>, most: number | undefined): boolean {
  return (
    (want.model === undefined || want.model === model) &&
    memoryBytes >= want.memoryBytes &&
    (most === undefined || memoryBytes <= most)
  );
}

/** What a job gets of `free`: what it asks for at the least, and up to its upper ends what is free; undefined if it does not fit. */
export function takeOf(free: FreeCapacity, placement: PlacementPart, wishes: PlacementWishes): Take | undefined {
  const { cpuMilli, memoryBytes, diskBytes, gpus } = placement.resources;
  const { most = {} } = wishes;
  if (free.cpuMilli < cpuMilli || free.memoryBytes < memoryBytes || free.diskBytes < diskBytes) return undefined;
  const take = {
    cpuMilli: upTo(cpuMilli, most.cpuMilli, free.cpuMilli),
    memoryBytes: upTo(memoryBytes, most.memoryBytes, free.memoryBytes),
    diskBytes: upTo(diskBytes, most.diskBytes, free.diskBytes),
  };
  if (gpus === undefined) return take;
  for (const kind of free.gpus) {
    if (!isKind(kind, gpus, most.gpuMemoryBytes)) continue;
    const cards = cardsOf(kind, gpus.count, wishes);
    if (cards === undefined) continue;
    const { model, memoryBytes: cardBytes } = kind;
    return { ...take, gpus: { model, memoryBytes: cardBytes, cards, milli: wishes.gpuMilli ?? WHOLE_GPU } };
  }
  return undefined;
}

/** What stays free when `take` goes; undefined when it is not there (any more). */
export function without(free: FreeCapacity, take: Take): FreeCapacity | undefined {
  return added(free, take, -1);
}

/** What is free when `take` comes back; undefined when a card would have more than all of it. */
export function withBack(free: FreeCapacity, take: Take): FreeCapacity | undefined {
  return added(free, take, 1);
}

function upTo(least: number, most: number | undefined, free: number): number {
  return most === undefined ? least : Math.max(least, Math.min(most, free));
}

/** A share goes to the fullest card that has it, so that whole ones stay whole; whole cards go in their order. */
function cardsOf({ cards }: GpuCards, least: number, { gpuMilli, most }: PlacementWishes): number[] | undefined {
  if (gpuMilli === undefined) {
    const whole = cards.flatMap((free, card) => (free === WHOLE_GPU ? [card] : []));
    const count = upTo(least, most?.gpuCount, whole.length);
    return whole.length < least ? undefined : whole.slice(0, count);
  }
  let best: number | undefined;
  for (const [card, free] of cards.entries()) {
    if (free >= gpuMilli && (best === undefined || free < (cards[best] ?? 0))) best = card;
  }
  return best === undefined ? undefined : [best];
}

function added(free: FreeCapacity, take: Take, sign: 1 | -1): FreeCapacity | undefined {
  const cpuMilli = free.cpuMilli + sign * take.cpuMilli;
  const memoryBytes = free.memoryBytes + sign * take.memoryBytes;
  const diskBytes = free.diskBytes + sign * take.diskBytes;
  if (cpuMilli < 0 || memoryBytes < 0 || diskBytes < 0) return undefined;
  const gpus = take.gpus === undefined ? free.gpus : addedCards(free.gpus, take.gpus, sign);
  return gpus === undefined ? undefined : { cpuMilli, memoryBytes, diskBytes, gpus };
}

function addedCards(kinds: readonly GpuCards[], taken: TakenGpus, sign: 1 | -1): GpuCards[] | undefined {
  const index = kinds.findIndex(({ model, memoryBytes }) => model === taken.model && memoryBytes === taken.memoryBytes);
  const kind = kinds[index];
  if (kind === undefined) return undefined;
  const cards = [...kind.cards];
  for (const card of taken.cards) {
    const left = (cards[card] ?? -1) + sign * taken.milli;
    if (card >= cards.length || left < 0 || left > WHOLE_GPU) return undefined;
    cards[card] = left;
  }
  return kinds.with(index, { ...kind, cards });
}
