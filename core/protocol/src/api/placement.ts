import { z } from 'zod';
import { idOf, isolation, sensitivity, tier, whole } from '../fields.ts';
import { CONSTRAINTS, placementPart, WAITING_REASONS } from '../statements/placement.ts';
import { AWAY_REFUSALS } from './pool.ts';

const offers = whole(1, 10_000_000);

/** How many offers, for one constraint. */
export const constraintCounts = z.array(z.strictObject({ constraint: z.enum(CONSTRAINTS), count: offers }));

/** How many offers, for one reason that a job waits. */
export const waitingCounts = z.array(z.strictObject({ constraint: z.enum(WAITING_REASONS), count: offers }));

/** `POST /v1/plan`: what placement would decide now; nothing is reserved. */
export const planRequest = z.strictObject({
  placement: placementPart,
  sensitivity,
  acceptProviderPlaintext: z.literal(true).optional(),
});

/** What an offer's score is made of; the less the better. Weighted units of money, hours, jobs lost. */
const scoreTerms = z.strictObject({
  cost: z.number(),
  speed: z.number(),
  reliability: z.number(),
  gravity: z.number(),
});

/** Who was considered, who refused for what, what giving up would bring, who would be chosen and who would be next. */
export const planAnswer = z.strictObject({
  considered: whole(0, 10_000_000),
  /** Offers that could take the job; with the counts of `refused` they sum to `considered`. */
  feasible: whole(0, 10_000_000),
  /** Each refused offer under the first constraint that it fails. */
  refused: constraintCounts,
  /** Each refused offer under every constraint that it fails. */
  failed: constraintCounts,
  /** Offers that fail this constraint alone. */
  soleFailures: constraintCounts,
  relaxations: z.array(z.strictObject({ giveUp: z.array(z.enum(CONSTRAINTS)).min(1).max(2), offers })).max(5),
  top: z
    .array(z.strictObject({ offer: idOf('offer'), agent: idOf('agent'), tier, score: z.number(), terms: scoreTerms }))
    .max(5),
  chosen: z.strictObject({ offer: idOf('offer'), agent: idOf('agent'), tier, isolation }).nullable(),
  /** Why it may not leave home now, where the organisation has a pool; empty when it may. */
  notAway: z.array(z.enum(AWAY_REFUSALS)).optional(),
  /** Where the placement is looser than its label: then no offer was looked at. */
  looserThanLabel: z.array(z.string().max(16)).max(8),
});

/** `GET /v1/jobs/JOB/why/OFFER`: all that one offer fails for a job, or its score. */
export const whyNotAnswer = z.discriminatedUnion('fits', [
  z.strictObject({ fits: z.literal(true), score: z.number(), terms: scoreTerms }),
  z.strictObject({ fits: z.literal(false), failed: z.array(z.enum(CONSTRAINTS)).min(1) }),
]);

export type PlanAnswer = z.infer<typeof planAnswer>;
export type WhyNotAnswer = z.infer<typeof whyNotAnswer>;
