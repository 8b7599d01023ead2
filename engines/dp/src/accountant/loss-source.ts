import { spreadAtoms, type Atoms } from './atoms.ts';
import { discreteGaussianAtoms, pureAtoms, skellamAtoms, WIDEST } from './discrete-noise.ts';
import { laplacePair, sampledGaussianPair, type GrowingPair } from './growing-pair.ts';
import type { LossDistribution } from './loss-distribution.ts';
import type { LossSketch } from './loss-sketch.ts';
import { cellsOf, CELL_SLACK, mergeOutcomes } from './merge-outcomes.ts';
import { massBetween } from './normal.ts';
import { connectTheDots, converseGrid, gridOf } from './outcome-grid.ts';
import type { PrivacyEvent } from './privacy-event.ts';

/** Whether the privacy unit is there under P and not under Q, or the other way round. */
export type Relation = 'remove' | 'add';

/** Where the losses of one step of an event come from. */
export interface LossSource {
  readonly sketch: LossSketch;
  /** From the least loss to the greatest one that is looked at. */
  readonly width: number;
  /** Losses that weigh much are multiples of this, or all are. */
  readonly unit?: { readonly loss: number; readonly isOfAll: boolean };
  /** Both relations have the same losses. */
  readonly isSymmetric: boolean;
  /** Pessimistic, on a grid. */
  readonly above: (interval: number) => Readonly<Record<Relation, LossDistribution>>;
  /** Optimistic, when every loss is taken to be lower by `slack` intervals. */
  readonly slack: number;
  readonly below: (interval: number) => Readonly<Record<Relation, LossDistribution>>;
}

/**
 * Of an event; beyond what is looked at lies at most `tail`. Undefined where only a bound on Rényi divergences is known: of vectors of whole numbers it is not
 * known which move is the worst. Of one number it is the largest, since the noise is log-concave. Gaussian events have {@link gaussianSource}.
 */
export function lossSourceOf(event: PrivacyEvent, tail: number): LossSource | undefined {
  switch (event.type) {
    case 'sampled-gaussian':
      return sourceOfPair(sampledGaussianPair(event.q, event.sigma, tail));
    case 'laplace':
      return {
        ...sourceOfPair(laplacePair(event.scale, tail)),
        unit: { loss: 1 / event.scale, isOfAll: false },
        isSymmetric: true,
      };
    case 'discrete-gaussian': {
      const { sigma2, parties, dimension, l2 } = event;
      if (parties > 1 || dimension > 1 || sigma2 > WIDEST ** 2) return undefined;
      const shift = Math.floor(l2);
      const unit = { loss: shift / (2 * sigma2), isOfAll: true };
      return { ...sourceOfAtoms(discreteGaussianAtoms(sigma2, shift, tail)), unit };
    }
    case 'skellam':
      if (event.dimension > 1 || event.mu > WIDEST ** 2) return undefined;
      return sourceOfAtoms(skellamAtoms(event.mu, Math.floor(event.l2), tail));
    case 'pure':
      return { ...sourceOfAtoms(pureAtoms(event.epsilon)), unit: { loss: event.epsilon, isOfAll: true } };
    case 'gaussian':
    case 'tree':
      return undefined;
  }
}

/** Of Gaussian noise without sampling: its converse is itself. */
export function gaussianSource(sigma: number, tail: number): LossSource {
  return { ...sourceOfPair(sampledGaussianPair(1, sigma, tail)), isSymmetric: true };
}

function sourceOfPair(pair: GrowingPair): LossSource {
  return {
    sketch: sketchOf(pair),
    width: pair.lossOf(pair.range[1]) - pair.lossOf(pair.range[0]),
    isSymmetric: false,
    above: (interval) => {
      const grid = gridOf(pair, interval);
      return { remove: connectTheDots(grid), add: connectTheDots(converseGrid(grid)) };
    },
    slack: CELL_SLACK,
    below: (interval) => mergeOutcomes(cellsOf(pair, interval), interval),
  };
}

/** Of noise that is the same in both directions. */
function sourceOfAtoms(atoms: Atoms): LossSource {
  const { losses } = atoms;
  return {
    sketch: atoms,
    width: (losses.at(-1) as number) - (losses[0] as number),
    isSymmetric: true,
    above: (interval) => {
      const losses = spreadAtoms(atoms, interval);
      return { remove: losses, add: losses };
    },
    slack: 0,
    below: (interval) => mergeOutcomes(atoms, interval),
  };
}

/** Cells of a sketch. */
const CELLS = 400;

function sketchOf({ range: [least, most], tailsAt, lossOf }: GrowingPair): LossSketch {
  const step = (most - least) / CELLS;
  const [losses, masses] = [new Float64Array(CELLS), new Float64Array(CELLS)];
  let from = tailsAt(least).upper;
  for (let at = 0; at < CELLS; at += 1) {
    const to = tailsAt(least + (at + 1) * step).upper;
    losses[at] = lossOf(least + (at + 0.5) * step);
    masses[at] = massBetween(from, to);
    from = to;
  }
  return { losses, masses };
}
