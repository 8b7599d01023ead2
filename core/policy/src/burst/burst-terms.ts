import { burstTerms as shape } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { decide, type Decision } from '../decision.ts';

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
