import { epochMs, newId, seededRng } from '@ringfence/base';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { BurstTerms } from './burst-terms.ts';

const rng = seededRng('burst');

/** A moment; tests count from it. */
export const START = epochMs(1_800_000_000_000);
export const HOUR = 3_600_000;

/** Ids that are the same in each run. */
export const JOBS = Array.from({ length: 40 }, () => newId('job', rng));
export const OFFERS = Array.from({ length: 6 }, () => newId('offer', rng));

/** Terms with small round numbers. */
export const TERMS: BurstTerms = {
  highWaitMs: 60_000,
  highLooks: 3,
  lowWaitMs: 30_000,
  lowLooks: 2,
  cooldownMs: 100_000,
  minLifetimeMs: 50_000,
  mostAtOnce: 3,
  overheadMs: 0,
  budget: { microUnits: 10_000_000, currency: 'EUR', periodMs: 24 * HOUR },
};

/** A job of one CPU that may go anywhere, for an hour. */
export function placement(change: Partial<PlacementPart> = {}): PlacementPart {
  return {
    ...SAMPLE_PLACEMENT,
    tiers: ['private', 'secure-cloud', 'community-cloud'],
    burst: 'allowed',
    ...change,
  };
}
