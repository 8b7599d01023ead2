import { durationWithin } from './duration.ts';
import { parseHourlyPrice, type HourlyPrice } from './price.ts';
import { record, text, type ReadBy } from './read.ts';

/** Money for a whole job, in millionths of the currency's unit (ISO 4217). */
export type Money = HourlyPrice;

/** What of several offers that fit is preferred, in thousandths; 1,000 each where the file does not say. */
export interface PreferenceWeights {
  readonly cost?: number;
  readonly speed?: number;
  readonly reliability?: number;
  readonly gravity?: number;
}

const DAY = 86_400_000;

const weight = text((value) => {
  if (!/^\d{1,4}(?:\.\d{1,3})?$/.test(value)) return undefined;
  const thousandths = Math.round(Number(value) * 1000);
  return thousandths <= 1_000_000 ? thousandths : undefined;
}, 'a weight from 0 to 1000 such as 2 or 0.5');

/** Reads the `weights` section. */
export const weightFields = record({ cost: weight, speed: weight, reliability: weight, gravity: weight });

/** From the launch on: one minute to 365 days. */
export const deadlineValue = durationWithin(60_000, 365 * DAY, '1m to 365d');

/** What a whole job may cost. */
export const budgetValue = text(parseHourlyPrice, 'an amount for the whole job such as 20 EUR');

/** The `weights` section in the terms of the rest of the program; undefined where nothing is said. */
export function weightsOf(values: ReadBy<typeof weightFields> | undefined): PreferenceWeights | undefined {
  return values === undefined || Object.keys(values).length === 0 ? undefined : values;
}
