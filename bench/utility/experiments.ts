import type { Experiment } from './experiment.ts';
import { readBreastCancer, readDigits } from './tables.ts';

/** Three hospitals' worth of the breast-cancer data. */
export function breastCancer(): Experiment {
  return {
    name: 'breast-cancer',
    examples: readBreastCancer(),
    spec: { kind: 'softmax', inputs: 30, classes: 2 },
    clients: 3,
    plain: { epochs: 20, rounds: 20, batch: 16, rate: 0.05 },
    noised: { steps: 60, clip: 1, rate: 0.1, momentum: 0.9 },
  };
}

/** Five offices with handwritten digits; undefined where Debian's python3-sklearn is not installed. */
export function digits(): Experiment | undefined {
  const examples = readDigits();
  if (examples === undefined) return undefined;
  return {
    name: 'digits',
    examples,
    spec: { kind: 'softmax', inputs: 64, classes: 10 },
    clients: 5,
    plain: { epochs: 20, rounds: 40, batch: 16, rate: 0.1 },
    noised: { steps: 60, clip: 1, rate: 0.5, momentum: 0.9 },
  };
}
