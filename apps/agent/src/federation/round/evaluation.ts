import { canonicalBytes } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { FlError } from '@ringfence/fl/error';
import { ringWidth } from '@ringfence/fl/ring';
import type { Round } from '@ringfence/fl/secagg';
import { contractRound, type FederationTerms } from './federation-terms.ts';
import {
  decodeFigures,
  encodeFigures,
  figureLayout,
  figureLength,
  type FigureLayout,
  type RoundFigures,
} from './figures.ts';

/** Nothing but figures is summed, in the widest ring whatever the contract's updates take. */
const WIDTH = 32;

/** A round of these terms in which the model with digest `model` is tested; throws FlError for one that must not be, such as under a contract that asks for none. */
export function evaluationRound(terms: FederationTerms, round: number, model: Digest): Round {
  const figures = layoutOf(terms);
  return contractRound(terms, {
    round,
    model,
    config: sha256Hex(canonicalBytes({ v: 1, task: 'evaluate', figures: { ...figures } })),
    width: ringWidth(WIDTH),
    length: figureLength(figures),
  });
}

/** The vector that a client masks of an evaluation: how many rows it was tested on, and means over them. */
export function evaluationVector(terms: FederationTerms, figures: RoundFigures): Uint32Array {
  return encodeFigures(figures, layoutOf(terms));
}

/** What the sum of `clients` clients' vectors says of the model. */
export function evaluationOf(terms: FederationTerms, sum: Uint32Array, clients: number): RoundFigures {
  return decodeFigures(sum, layoutOf(terms), clients);
}

function layoutOf({ contract }: FederationTerms): FigureLayout {
  const layout = figureLayout(WIDTH, contract.clients.length);
  if (contract.evaluation === undefined || contract.privacy.noise !== null || layout === undefined)
    throw new FlError('bad-parameters', 'the contract asks for no evaluation');
  return layout;
}
