import { z } from 'zod';
import { attemptNumber, envelope, idOf, moment, whole } from '../fields.ts';
import { burstTerms, PRESSURES } from '../statements/pool.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** `PUT /v1/pool`: a `pool` statement, signed by the calling device, with a higher `seq` than the one before. */
export const poolOrder = z.strictObject({ pool: envelope });

/** What burst cost and saved in the current period, by runs that are over: millionths of the budget's currency. */
const costs = z.strictObject({
  from: moment,
  until: moment,
  runs: count,
  homeMachines: count,
  homeHour: count,
  spent: count,
  allMarketplace: count,
  allPrivate: count,
  hybrid: count,
  /** Below zero where it cost more. */
  savedAgainstAllMarketplace: z.int(),
  savedAgainstAllPrivate: z.int(),
  couldNotLeave: count,
  mostAwayAtOnce: count,
});

/** `GET /v1/pool`: the terms, where gate and budget are, what is away, and what it cost. */
export const poolView = z.strictObject({
  seq: count,
  terms: burstTerms,
  homeHour: count,
  statement: envelope,
  gate: z.strictObject({
    state: z.enum(['closed', 'open']),
    changedAt: moment.nullable(),
    pressure: z.enum(PRESSURES),
    /** How many looks in a row found that pressure; it counts no further than the terms ask. */
    looks: count,
  }),
  /** The queue as it is now; `longestWaitMs` is null when no own machine could ever take a job that may leave. */
  queue: z.strictObject({ waiting: count, mayBurst: count, longestWaitMs: count.nullable() }),
  budget: z.strictObject({
    period: count,
    spent: count,
    reserved: count,
    left: count,
    microUnits: count,
    currency: z.string(),
    spentEver: count,
  }),
  away: z.array(
    z.strictObject({
      job: idOf('job'),
      attempt: attemptNumber,
      offer: idOf('offer'),
      since: moment,
      coveredUntil: moment,
      reserved: count,
      moving: z.boolean(),
    }),
  ),
  /** Machines away from home, each until it is given back. */
  offers: z.array(
    z.strictObject({
      offer: idOf('offer'),
      agent: idOf('agent'),
      phase: z.enum(['used', 'cordoned', 'emptied']),
      jobs: count,
      emptiedAt: moment.nullable(),
      deletionSigned: z.boolean(),
      keysShredded: z.boolean(),
    }),
  ),
  costs,
});

/** `GET /v1/pool/decisions`: the newest `burst-decision` statements in their order, and the deletions that agents signed. */
export const poolDecisions = z.strictObject({ decisions: z.array(envelope), deletions: z.array(envelope) });

/** Why a job that waits may not leave home now; in the order in which they are looked at. */
export const AWAY_REFUSALS = [
  'may-not-leave',
  'keeps-on',
  'gate-closed',
  'most-at-once',
  'currency',
  'budget',
] as const;

export type PoolView = z.infer<typeof poolView>;
export type PoolDecisions = z.infer<typeof poolDecisions>;
