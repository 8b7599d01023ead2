import { z } from 'zod';
import { decimal, positiveDecimal, properFraction } from './decimal.ts';

const notNegative = decimal.refine((text) => !text.startsWith('-'), 'negative');
const adaptive = { rate: positiveDecimal, beta1: properFraction, beta2: properFraction, tau: positiveDecimal };

/** How the aggregator turns the mean of the updates into the next model; rates are its own, those of clients are in the training settings. */
export const strategySpec = z.discriminatedUnion('kind', [
  /** FedAvg (McMahan et al. 2017); with momentum FedAvgM (Hsu et al. 2019). */
  z.strictObject({ kind: z.literal('fedavg'), rate: positiveDecimal, momentum: properFraction }),
  /** FedProx (Li et al. 2020): clients add mu/2 times the squared distance to the round's model to their loss. */
  z.strictObject({ kind: z.literal('fedprox'), rate: positiveDecimal, mu: notNegative }),
  /** FedOpt (Reddi et al. 2021). */
  z.strictObject({ kind: z.literal('fedadam'), ...adaptive }),
  z.strictObject({ kind: z.literal('fedyogi'), ...adaptive }),
  z.strictObject({ kind: z.literal('fedadagrad'), rate: positiveDecimal, tau: positiveDecimal }),
]);

export type StrategySpec = z.infer<typeof strategySpec>;
