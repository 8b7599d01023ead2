import { z } from 'zod';
import { whole } from '../fields.ts';
import { packPath } from '../payload/pack.ts';
import { decimal, positiveDecimal } from './decimal.ts';

/** Printable text on one line. */
export const plainText = (longest: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
/** The name of a column. */
export const columnName = plainText(128);

/** What a client does with its own data in one round, before anything is clipped or masked. */
export const trainingSettings = z.strictObject({
  /** Passes over the data; ignored where the privacy unit is `record` or `person`: there a round is one step. */
  epochs: whole(1, 10_000),
  batchSize: whole(1, 1_000_000),
  learningRate: positiveDecimal,
});

/** How rows of a dataset become numbers: a CSV file with a header line. */
export const dataSchema = z.strictObject({
  file: packPath,
  /** In the order in which the model reads them; each value is (x − subtract) / divide. */
  features: z
    .array(z.strictObject({ column: columnName, subtract: decimal, divide: positiveDecimal }))
    .min(1)
    .max(4_096),
  label: columnName,
  /** Texts of the label column, in the order of the model's classes. */
  classes: z.array(plainText(128)).min(2).max(1_024),
});
