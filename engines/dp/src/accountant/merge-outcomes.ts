import type { Atoms } from './atoms.ts';
import type { GrowingPair, PairTails } from './growing-pair.ts';
import type { LossDistribution } from './loss-distribution.ts';
import { massBetween } from './normal.ts';

/** A loss this near to a point of the grid, in intervals, lies on it: a few units of the last place. */
const ON_GRID = 1e-9;
/** Part of an interval by which a cell's loss may be off, since it is the ratio of two small differences. */
export const CELL_SLACK = 1e-7;
/** Where a cell ends, in intervals above its point: a little less than the middle, so that its loss lies a little below. */
const MIDDLE = 0.49;

/** How often a cell is made shorter when its loss lies above its point all the same, and by how much of that. */
const MOST_CUTS = 30;
const CUT = 3;

/**
 * The outcomes of a pair in cells about the points of a grid, the loss of each a little below its point: who is told the cell alone can tell less. Outcomes that all have the
 * least or the greatest loss are cells of their own.
 */
export function cellsOf(pair: GrowingPair, interval: number): Atoms {
  const [least, most] = pair.range.map((outcome) => pair.lossOf(outcome) / interval) as [number, number];
  const [first, last] = [Math.ceil(least - ON_GRID), Math.floor(most + ON_GRID)];
  const [losses, masses]: [number[], number[]] = [[], []];
  let from = pair.tailsAt(-Infinity);
  const cellUpTo = (end: number): Cell => {
    const to = pair.tailsAt(end === Infinity ? Infinity : pair.outcomeOf(end * interval));
    const p = massBetween(from.upper, to.upper);
    return { p, loss: Math.log(p / massBetween(from.lower, to.lower)), to };
  };
  const keep = ({ p, loss, to }: Cell): void => {
    // What has no mass that a double can hold stays with the next.
    if (!(p > 0 && Number.isFinite(loss))) return;
    losses.push(loss);
    masses.push(p);
    from = to;
  };
  keep(cellUpTo(least + ON_GRID));
  for (let at = first; at < last; at += 1) {
    let end = at + MIDDLE;
    let cell = cellUpTo(end);
    for (let cuts = 0; cuts < MOST_CUTS && cell.loss > at * interval; cuts += 1) {
      end -= CUT * (cell.loss / interval - at) + ON_GRID;
      cell = cellUpTo(end);
    }
    keep(cell);
  }
  keep(cellUpTo(most - ON_GRID));
  keep(cellUpTo(Infinity));
  return { losses: Float64Array.from(losses), masses: Float64Array.from(masses), infinity: 0 };
}

interface Cell {
  /** Of P. */
  readonly p: number;
  readonly loss: number;
  readonly to: PairTails;
}

/**
 * Optimistic distributions on a grid, of P against Q and of Q against P: outcomes are told apart no more, each heap with as much of the next outcome as brings its
 * loss to a point of the grid (a coin decides which of both it is in). Who sees less can tell less (post-processing), so these are never above the outcomes' own curves.
 * What never comes to a point is rounded down.
 */
export function mergeOutcomes(
  { losses, masses, infinity }: Atoms,
  interval: number,
): { readonly remove: LossDistribution; readonly add: LossDistribution } {
  const first = Math.floor((losses[0] as number) / interval + ON_GRID);
  const last = Math.max(first, Math.ceil((losses.at(-1) as number) / interval - ON_GRID));
  const [remove, add] = [new Float64Array(last - first + 1), new Float64Array(last - first + 1)];
  const put = (p: number, q: number, low: number, high = low): void => {
    remove[low - first] = (remove[low - first] as number) + p;
    add[last - high] = (add[last - high] as number) + q;
  };
  const putRounded = (p: number, q: number): void => {
    if (!(p > 0)) return;
    const loss = Math.log(p / q) / interval;
    put(p, q, Math.max(first, Math.floor(loss + ON_GRID)), Math.min(last, Math.ceil(loss - ON_GRID)));
  };
  let at = first;
  let [p, q] = [0, 0];
  for (let i = 0; i < losses.length; i += 1) {
    const loss = losses[i] as number;
    const odds = Math.exp(-loss);
    let left = masses[i] as number;
    // While this outcome lies above the point, it can bring the heap there.
    for (; at <= last && loss > (at + ON_GRID) * interval; at += 1) {
      if (p === 0) continue;
      const ratio = Math.exp(at * interval);
      const share = Math.max(0, (ratio * q - p) / (1 - ratio * odds));
      if (!(share < left)) break;
      put(p + share, q + share * odds, at);
      left -= share;
      [p, q] = [0, 0];
    }
    if (i < losses.length - 1) {
      [p, q] = [p + left, q + left * odds];
    } else {
      putRounded(p, q);
      putRounded(left, left * odds);
    }
  }
  return {
    remove: { interval, first, probs: remove, infinity },
    add: { interval, first: -last, probs: add, infinity: 0 },
  };
}
