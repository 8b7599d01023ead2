import { z } from 'zod';
import { attemptNumber, idOf, moment, sha256, whole } from '../fields.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;
const v = z.literal(1);
const wait = whole(0, YEAR_MS);
const microUnits = whole(0, 1_000_000_000_000_000);
const currency = z.string().regex(/^[A-Z]{3}$/);

/** When an organisation's jobs leave home and come back: milliseconds, looks, millionths of a currency's unit (ISO 4217). */
export const burstTerms = z.strictObject({
  highWaitMs: whole(1, YEAR_MS),
  highLooks: whole(1, 1_000),
  lowWaitMs: wait,
  lowLooks: whole(1, 1_000),
  cooldownMs: wait,
  minLifetimeMs: wait,
  mostAtOnce: whole(0, 100_000),
  overheadMs: whole(0, 24 * HOUR_MS),
  budget: z.strictObject({ microUnits, currency, periodMs: whole(HOUR_MS, YEAR_MS) }),
});

/** A member's order on when the organisation's jobs may leave home, and what that may cost; each has the `seq` after the one before, and the newest counts. */
export const poolStatement = z.strictObject({
  v,
  org: idOf('org'),
  device: idOf('device'),
  seq: whole(1, Number.MAX_SAFE_INTEGER),
  terms: burstTerms,
  /** What an own machine costs an hour by the organisation's own figure, for the cost report: millionths of the budget's currency. */
  homeHour: whole(0, 1_000_000_000_000),
  at: moment,
});

/** The most attempts that one order to delete names: it has to fit into a frame beside its signed answer. */
export const MOST_DELETED = 32;

/** Attempts by their fencing tokens. */
export const namedAttempts = z
  .array(z.strictObject({ job: idOf('job'), attempt: attemptNumber }))
  .min(1)
  .max(MOST_DELETED);

/** An agent's word that nothing of these attempts is left on its machine as far as it knows; a word, not a proof. */
export const deletionStatement = z.strictObject({
  v,
  org: idOf('org'),
  agent: idOf('agent'),
  request: idOf('deletion'),
  attempts: namedAttempts,
  at: moment,
});

const offer = { offer: idOf('offer'), agent: idOf('agent') };
const asked = { ...offer, request: idOf('deletion'), attempts: namedAttempts };

/** The kinds of decisions about burst and return. */
export const BURST_DECISIONS = [
  'open',
  'close',
  'cordon',
  'uncordon',
  'move',
  'ask-deletion',
  'shred-keys',
  'release',
] as const;

/** What a control plane decided about burst and return: one of {@link BURST_DECISIONS}. */
export const burstDecision = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('open') }),
  z.strictObject({ type: z.literal('close') }),
  z.strictObject({ type: z.literal('cordon'), ...offer }),
  z.strictObject({ type: z.literal('uncordon'), ...offer }),
  /** The attempt is told to stop with reason `drain`; it may be tried again. */
  z.strictObject({ type: z.literal('move'), ...offer, job: idOf('job'), attempt: attemptNumber }),
  z.strictObject({ type: z.literal('ask-deletion'), ...asked }),
  z.strictObject({ type: z.literal('shred-keys'), ...asked }),
  /** The machine is given back; `missing` when its provider signed no deletion in time. */
  z.strictObject({
    type: z.literal('release'),
    ...offer,
    deletion: z.enum(['signed', 'missing']),
    /** Digests of the signed deletions. */
    deletions: z.array(sha256).max(64),
  }),
]);

/** Whether jobs that may leave wait too long, hardly, or neither. */
export const PRESSURES = ['high', 'between', 'low'] as const;

/** The control plane's signed account of one decision about burst and return, with what decided it. */
export const burstDecisionStatement = z.strictObject({
  v,
  org: idOf('org'),
  controlPlane: idOf('controlPlane'),
  /** Counts the organisation's decisions. */
  seq: whole(1, Number.MAX_SAFE_INTEGER),
  decision: burstDecision,
  /** Digest of the pool statement whose terms counted. */
  poolDigest: sha256,
  /** What the last look at the queue found, and how many found the same in a row. */
  pressure: z.enum(PRESSURES),
  looks: whole(0, Number.MAX_SAFE_INTEGER),
  /** The queue as that look saw it; absent where something else than a look decided. */
  queue: z
    .strictObject({
      waiting: whole(0, 10_000_000),
      mayBurst: whole(0, 10_000_000),
      /** The longest predicted wait of a job that may leave; absent when no own machine could ever take one of them. */
      longestWaitMs: whole(0, Number.MAX_SAFE_INTEGER).exactOptional(),
    })
    .exactOptional(),
  /** Number of the period from 1970, and money of it. */
  budget: z.strictObject({
    period: whole(0, Number.MAX_SAFE_INTEGER),
    spent: microUnits,
    reserved: microUnits,
    microUnits,
    currency,
  }),
  away: whole(0, 10_000_000),
  at: moment,
});

/** What of the budget a placement away from home holds: millionths of its currency. */
export const reservedBudget = z.strictObject({
  period: whole(0, Number.MAX_SAFE_INTEGER),
  reserved: microUnits,
  currency,
});

export type BurstTermsPart = z.infer<typeof burstTerms>;
export type PoolStatement = z.infer<typeof poolStatement>;
export type DeletionStatement = z.infer<typeof deletionStatement>;
export type BurstDecision = z.infer<typeof burstDecision>;
export type BurstDecisionStatement = z.infer<typeof burstDecisionStatement>;
export type NamedAttempt = z.infer<typeof namedAttempts>[number];
