import type { PlacementPart } from '@ringfence/protocol/statements';

const HOUR_MS = 3_600_000n;

/**
 * The most that an hour away from home may cost by the job's price limit and its budget; undefined when it has neither. A budget pays for
 * the longest run of every attempt. Where the two name different currencies no price is within both, and the limit is below zero.
 */
export function priceLimitOf({
  maxPrice,
  budget,
  maxDurationMs,
}: Pick<PlacementPart, 'maxPrice' | 'budget' | 'maxDurationMs'>): PlacementPart['maxPrice'] {
  if (budget === undefined) return maxPrice;
  const { currency, attempts } = budget;
  // Beyond the exact integers of a double: 10^12 micro-units of an hour's milliseconds.
  const perHour = (BigInt(budget.microUnits) * HOUR_MS) / (BigInt(maxDurationMs) * BigInt(attempts));
  const microUnits = Number(perHour);
  if (maxPrice === undefined) return { microUnits, currency };
  return { microUnits: maxPrice.currency === currency ? Math.min(microUnits, maxPrice.microUnits) : -1, currency };
}
