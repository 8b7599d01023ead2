import { DpError } from './dp-error.ts';
import type { PrivacyEvent } from './privacy-event.ts';

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;
const isProbability = (value: number): boolean => value >= 0 && value < 1;
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/** Least parameter of a discrete Gaussian of which several are added: the bound's own condition (σ ≥ 1/2). */
const LEAST_OF_MANY = 0.25;

/** Throws {@link DpError} `bad-event` for numbers that a mechanism cannot have: none may come out as no loss at all. */
export function checkEvent(event: PrivacyEvent): void {
  for (const [name, isRight] of Object.entries(findings(event)))
    if (!isRight) throw new DpError('bad-event', `${name} of a ${event.type} event is out of range`);
}

function findings(event: PrivacyEvent): Readonly<Record<string, boolean>> {
  switch (event.type) {
    case 'sampled-gaussian':
      return { q: isPositive(event.q) && event.q <= 1, sigma: isPositive(event.sigma), steps: isCount(event.steps) };
    case 'gaussian':
      return { sigma: isPositive(event.sigma), steps: isCount(event.steps) };
    case 'laplace':
      return { scale: isPositive(event.scale), steps: isCount(event.steps) };
    case 'tree':
      return { sigma: isPositive(event.sigma), leaves: isCount(event.leaves), restarts: isCount(event.restarts) };
    case 'pure':
      return { epsilon: Number.isFinite(event.epsilon) && event.epsilon >= 0, steps: isCount(event.steps) };
    case 'skellam':
      return { mu: isPositive(event.mu), slip: isProbability(event.slip ?? 0), ...vectorFindings(event) };
    case 'discrete-gaussian': {
      const { sigma2, parties } = event;
      const isWide = isPositive(sigma2) && (parties === 1 || sigma2 >= LEAST_OF_MANY);
      return { sigma2: isWide, parties: isCount(parties), ...vectorFindings(event) };
    }
  }
}

function vectorFindings(event: { l1: number; l2: number; dimension: number; steps: number }): Record<string, boolean> {
  return {
    // Whole numbers move by at least 1, and by no less in L1 than in L2.
    l1: isPositive(event.l1) && event.l1 >= event.l2,
    l2: isPositive(event.l2) && event.l2 >= 1,
    dimension: isCount(event.dimension),
    steps: isCount(event.steps),
  };
}
