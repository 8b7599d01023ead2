/** The most that a whole job may cost in an hour. */
export interface HourlyPrice {
  /** Millionths of the currency's unit. */
  readonly microUnits: number;
  /** ISO 4217. */
  readonly currency: string;
}

/** Reads `12.5 USD`; undefined for anything else. */
export function parseHourlyPrice(text: string): HourlyPrice | undefined {
  const match = /^(\d{1,6})(?:\.(\d{1,6}))? ([A-Z]{3})$/.exec(text);
  if (match?.[3] === undefined) return undefined;
  const microUnits = Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0'));
  return { microUnits, currency: match[3] };
}
