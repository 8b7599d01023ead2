import { z } from 'zod';
import { envelope, idOf, moment, sha256, whole } from '../fields.ts';
import { positiveDecimal, positiveFraction } from '../federation/decimal.ts';
import { privacyUnit } from '../federation/privacy-terms.ts';
import { payloadName } from './workload.ts';

/** Why the custodian of a dataset lets a round not begin, by its privacy ledger. */
export const DEBIT_REASONS = [
  /** Its owner has not said what may be lost. */
  'no-budget',
  /** Too little of the budget is left. */
  'budget',
  /** Too little of what the contract lets be spent is left. */
  'contract-budget',
  /** What is done does not hide the unit that the budget is about. */
  'unit-mismatch',
  /** It is not known what was done before a restore, and the owner has not settled it. */
  'unsettled',
  /** Another attempt was given leave for this round. */
  'round-taken',
] as const;
export type DebitReason = (typeof DEBIT_REASONS)[number];

const bound = { epsilon: positiveDecimal, delta: positiveFraction };
/** `POST /v1/privacy/budgets`: what may be lost of a dataset. */
export const privacyBudgetRequest = z.strictObject({ name: payloadName, unit: privacyUnit, ...bound });
/** `POST /v1/privacy/raises`: a statement `privacy-budget`. */
export const privacyRaiseRequest = z.strictObject({ statement: envelope });
/** `POST /v1/privacy/contract-only`: whether jobs of federations alone mount a dataset. */
export const contractOnlyRequest = z.strictObject({ name: payloadName, on: z.boolean() });

/** None: no accountant vouches for a bound, or it is not known what was done. */
const epsilon = z.number().min(0).nullable();
const grade = z.enum(['enforced', 'declared']);
const times = whole(1, Number.MAX_SAFE_INTEGER);

/** What one contract did to a dataset, each epsilon at the budget's delta. */
const privacyContract = z.strictObject({
  contract: sha256,
  rounds: times,
  unit: privacyUnit,
  grade,
  /** As the budget is debited. */
  epsilon,
  /** For somebody outside, for one curious member, and for all other members together; absent where it was not told. */
  outsiders: epsilon.optional(),
  member: epsilon.optional(),
  others: epsilon.optional(),
});

/** A release that was not counted: rounds without noise, or starts of a job. */
const uncountedRelease = z.strictObject({
  /** The dataset that was used, when it is another one with rows of the same people. */
  dataset: payloadName.nullable(),
  contract: sha256.nullable(),
  job: idOf('job').nullable(),
  times,
  first: moment,
  last: moment,
});

/** The account of one dataset. */
export const privacyRow = z.strictObject({
  name: payloadName,
  artifact: idOf('artifact'),
  contractOnly: z.boolean(),
  budget: z.strictObject({ unit: privacyUnit, ...bound, device: idOf('device'), at: moment }).nullable(),
  /** All together, and the part of it that our code clipped and noised. */
  spent: z.strictObject({ epsilon, enforced: epsilon, left: z.number().min(0) }).nullable(),
  /** It is not known what was done before this moment. */
  doubt: z
    .strictObject({
      cause: z.enum(['restored', 'rolled-back']),
      at: moment,
      /** What has to be taken for spent at least. */
      least: z.strictObject(bound).nullable(),
    })
    .nullable(),
  /** Everything before this moment is taken for this much. */
  settled: z.strictObject({ ...bound, at: moment }).nullable(),
  /** Other datasets with rows of the same people: what is done to one counts against all. */
  family: z.array(payloadName),
  contracts: z.array(privacyContract),
  uncounted: z.array(uncountedRelease),
});
/** `GET /v1/privacy?name=NAME`: one dataset, or each that has an account. */
export const privacyAnswer = z.strictObject({ datasets: z.array(privacyRow) });

export type PrivacyRow = z.infer<typeof privacyRow>;
