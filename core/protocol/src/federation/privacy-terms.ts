import { z } from 'zod';
import { whole } from '../fields.ts';
import { positiveDecimal, positiveFraction, properFraction } from './decimal.ts';
import { columnName } from './training-spec.ts';

/** Whose presence in the data is hidden: one row, one person's rows, or all that an organisation has. */
export const privacyUnit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('record') }),
  /** All rows with the same value in `column`; at most `mostRows` of them count. */
  z.strictObject({ kind: z.literal('person'), column: columnName, mostRows: whole(1, 1_000_000) }),
  z.strictObject({ kind: z.literal('organisation') }),
]);

/** Noise that the clients add to their updates before masking, together calibrated to `honestMin` of them. */
export const noiseTerms = z.strictObject({
  /** Standard deviation of the sum of `honestMin` clients' noises, in clipping norms. */
  multiplier: positiveDecimal,
  /** So many clients that add theirs. */
  honestMin: whole(1, 100_000),
  /** Chance of a row (or person) to be in a round's Poisson sample; 1 for the unit `organisation`. */
  sampleRate: positiveFraction,
});

/** What is promised about privacy. */
export const privacyTerms = z.strictObject({
  unit: privacyUnit,
  /** `enforced`: our code clipped and noised; `declared`: the code claims it of itself. */
  grade: z.enum(['enforced', 'declared']),
  /** Of a unit's contribution where the unit is record or person, of a client's whole update for `organisation` (L2). */
  clip: positiveDecimal,
  /** None: nothing is noised, and each round is a release that was not counted. */
  noise: noiseTerms.nullable(),
  /** The most that this contract may spend of each dataset's budget, whatever else the dataset's ledger allows. */
  budget: z.strictObject({ epsilon: positiveDecimal, delta: properFraction }).nullable(),
});

/** What secure aggregation assumes: shares of all clients. */
export const secureAggregationTerms = z.strictObject({
  /** At most this part colludes with the aggregator. */
  corrupt: properFraction,
  /** At most this part is gone before a round ends. */
  dropout: properFraction,
});

/** How an update becomes whole numbers in a ring. */
export const encodingTerms = z.strictObject({
  /** Bits of a number on the wire. */
  ringWidth: whole(8, 32),
  /** Whole numbers a clipping norm: what one unit of an update is multiplied by before it is rounded. */
  scale: positiveDecimal,
});

export type PrivacyUnit = z.infer<typeof privacyUnit>;
export type PrivacyTerms = z.infer<typeof privacyTerms>;
export type NoiseTerms = z.infer<typeof noiseTerms>;
export type EncodingTerms = z.infer<typeof encodingTerms>;
