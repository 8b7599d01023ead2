import { z } from 'zod';
import { positiveDecimal, positiveFraction } from '../federation/decimal.ts';
import { privacyUnit } from '../federation/privacy-terms.ts';
import { idOf, moment } from '../fields.ts';

const bound = { epsilon: positiveDecimal, delta: positiveFraction };
const budget = { unit: privacyUnit, ...bound };

/** The word of a dataset's owner, and of officers, that more may be lost of it than was promised, or how much was lost before a restore. */
export const privacyBudgetStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  artifact: idOf('artifact'),
  /** Of its owner. */
  device: idOf('device'),
  /** The budget that it replaces: of any other it says nothing. */
  before: z.strictObject(budget),
  ...budget,
  /** Everything that was done before the newest restore lost at most this: no larger budget was signed until then. */
  settled: z.strictObject(bound).optional(),
  at: moment,
});

export type PrivacyBudgetStatement = z.infer<typeof privacyBudgetStatement>;
