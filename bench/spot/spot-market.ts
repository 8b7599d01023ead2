import type { SeenLosses, SpotWeather } from '@ringfence/policy/spot';

/** Cards that others hold, from one moment to another; milliseconds. */
export interface Tenancy {
  readonly gpus: number;
  readonly from: number;
  readonly to: number;
}

/** From `at` on so many cards are held, or one is to be had or not. */
interface Step<T> {
  readonly at: number;
  readonly is: T;
}

/**
 * A provider with `cards` cards whose tenants go first: what they leave idle is spot, and is taken away when they come back for it. More
 * tenants than cards leave none.
 */
export class SpotMarket {
  readonly #steps: readonly Step<boolean>[];

  constructor(tenants: readonly Tenancy[], cards: number) {
    this.#steps = changesOf(heldCards(tenants).map(({ at, is }) => ({ at, is: cards - is >= 1 })));
  }

  /** What a job that begins at `start` sees. */
  from(start: number): SpotWeather {
    return {
      at: (ms) => {
        const index = indexAt(this.#steps, start + ms);
        const next = this.#steps[index + 1];
        return { there: this.#steps[index]?.is ?? false, until: next === undefined ? Infinity : next.at - start };
      },
    };
  }

  /** What a machine that was held whenever it could be had would have shown between two moments. */
  seen(from: number, to: number, priorMs: number): SeenLosses {
    let [ranMs, losses] = [0, 0];
    const weather = this.from(0);
    for (let at = from; at < to;) {
      const { there, until } = weather.at(at);
      const end = Math.min(until, to);
      if (there) ranMs += end - at;
      if (there && until < to) losses += 1;
      at = end;
    }
    return { ranMs, losses, priorMs };
  }
}

/** The number of cards that is enough for a share of the time between two moments. */
export function enoughCards(
  tenants: readonly Tenancy[],
  { share, from, to }: { readonly share: number; readonly from: number; readonly to: number },
): number {
  const steps = heldCards(tenants);
  const spans = steps.map(({ at, is }, index) => {
    const end = Math.min(to, steps[index + 1]?.at ?? to);
    return { is, ms: Math.max(0, end - Math.max(from, at)) };
  });
  let left = share * (to - from);
  for (const { is, ms } of spans.toSorted((a, b) => a.is - b.is)) {
    left -= ms;
    if (left <= 0) return Math.ceil(is);
  }
  throw new RangeError('nothing is known of so many moments');
}

function heldCards(tenants: readonly Tenancy[]): Step<number>[] {
  const edges = tenants.flatMap(({ gpus, from, to }) => [
    { at: from, by: gpus },
    { at: to, by: -gpus },
  ]);
  let held = 0;
  const steps = edges
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, by }) => {
      held += by;
      // Shares of cards sum up with what floating point leaves.
      return { at, is: Math.round(held * 1_000) / 1_000 };
    });
  return changesOf([{ at: -Infinity, is: 0 }, ...steps]);
}

/** Of several at one moment the last counts; what stays as it was is no change. */
function changesOf<T>(steps: readonly Step<T>[]): Step<T>[] {
  const lasts = steps.filter(({ at }, index) => steps[index + 1]?.at !== at);
  return lasts.filter(({ is }, index) => lasts[index - 1]?.is !== is);
}

function indexAt(steps: readonly Step<boolean>[], at: number): number {
  let [low, high] = [-1, steps.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((steps[middle]?.at ?? Infinity) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
