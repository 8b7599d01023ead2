import { whole } from '@ringfence/protocol';
import { z } from 'zod';
import { decide, type Decision } from '../decision.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;

const duration = whole(0, YEAR_MS);

const shape = z.strictObject({
  highWaitMs: whole(1, YEAR_MS),
  highLooks: whole(1, 1_000),
  lowWaitMs: duration,
  lowLooks: whole(1, 1_000),
  cooldownMs: duration,
  minLifetimeMs: duration,
  mostAtOnce: whole(0, 100_000),
  overheadMs: whole(0, 24 * HOUR_MS),
  budget: z.strictObject({
    microUnits: whole(0, 1_000_000_000_000_000),
    currency: z.string().regex(/^[A-Z]{3}$/),
    periodMs: whole(HOUR_MS, YEAR_MS),
  }),
});

/** The most that may be spent away from home in a period: millionths of a currency's unit (ISO 4217), milliseconds. */
export type Budget = Readonly<z.infer<typeof shape>['budget']>;

/** When an organisation's jobs leave home and come back; times in milliseconds, docs/burst.md says what each does. */
export type BurstTerms = Readonly<Omit<z.infer<typeof shape>, 'budget'> & { budget: Budget }>;

/** What is wrong with terms: which field, and how. */
export interface BurstTermsFault {
  readonly field: string;
  readonly fault: 'malformed' | 'out-of-range' | 'low-above-half-of-high';
}

/** Reads terms from outside, or says everything that is wrong with them. */
export function readBurstTerms(input: unknown): Decision<BurstTermsFault, { readonly terms: BurstTerms }> {
  const parsed = shape.safeParse(input);
  if (!parsed.success) return { allow: false, reasons: parsed.error.issues.map(faultOf) };
  const terms = parsed.data;
  const wide = terms.lowWaitMs * 2 <= terms.highWaitMs;
  return decide(wide ? [] : [{ field: 'lowWaitMs', fault: 'low-above-half-of-high' as const }], { terms });
}

function faultOf({ code, path }: z.core.$ZodIssue): BurstTermsFault {
  const range = code === 'too_big' || code === 'too_small';
  return { field: path.join('.'), fault: range ? 'out-of-range' : 'malformed' };
}
