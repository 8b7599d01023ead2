import { z } from 'zod';
import { whole } from '../fields.ts';
import { decimal, positiveDecimal, properFraction } from './decimal.ts';

/** When the model is tested on rows that nobody trained on, and when that ends the federation. */
export const evaluationTerms = z.strictObject({
  /** After each so many sums of training, and after the last. */
  every: whole(1, 100_000),
  /** Part of each dataset's rows that is tested on and never trained on; own code parts its rows itself. */
  heldOut: properFraction.refine((text) => text !== '0', 'nothing is held out').optional(),
  /** The federation ends after `patience` evaluations that were not better by `minDelta` at least, and with the best model whenever it ends. */
  stop: z
    .strictObject({
      metric: z.enum(['loss', 'accuracy']),
      patience: whole(1, 100_000),
      minDelta: decimal.refine((text) => !text.startsWith('-'), 'negative'),
    })
    .optional(),
});

/** What keeps a poisoned update from moving the model far. */
export const robustnessTerms = z.strictObject({
  /** Where no noise is: the L2 norm that each client brings its update down to, and the aggregator the mean. */
  updateNorm: positiveDecimal,
});

export type EvaluationTerms = z.infer<typeof evaluationTerms>;
export type RobustnessTerms = z.infer<typeof robustnessTerms>;

/** What a round of a federation is for. */
export type RoundTask = 'train' | 'evaluate';

/** Sums that a federation comes to when none of them is lost and it is not stopped early: of training, and of evaluations. */
export function mostSums({
  rounds,
  evaluation,
}: {
  readonly rounds: { readonly count: number };
  readonly evaluation?: Pick<EvaluationTerms, 'every'> | undefined;
}): number {
  return rounds.count + (evaluation === undefined ? 0 : Math.ceil(rounds.count / evaluation.every));
}

/** What the next round is for when so many sums of training are in the model and `evaluated` of them were at the last evaluation; undefined when there is no next round. */
export function nextTask(
  {
    rounds,
    evaluation,
  }: {
    readonly rounds: { readonly count: number };
    readonly evaluation?: Pick<EvaluationTerms, 'every'> | undefined;
  },
  { summed, evaluated }: { readonly summed: number; readonly evaluated: number },
): RoundTask | undefined {
  const isLast = summed >= rounds.count;
  const isDue = evaluation !== undefined && evaluated < summed && (isLast || summed % evaluation.every === 0);
  if (isDue) return 'evaluate';
  return isLast ? undefined : 'train';
}
