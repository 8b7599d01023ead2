import { z } from 'zod';
import {
  evidenceGrade,
  evidenceStandard,
  idOf,
  isolation,
  jobType,
  jurisdiction,
  moment,
  retryReason,
  tee,
  tier,
  whole,
} from '../fields.ts';

/** What a job asks of a machine: thousandths of a CPU, bytes, whole GPUs. */
export const resources = z.strictObject({
  cpuMilli: whole(100, 1_024_000),
  memoryBytes: whole(16_000_000, 100_000_000_000_000),
  diskBytes: whole(0, 1_000_000_000_000_000),
  gpus: z
    .strictObject({
      model: z
        .string()
        .regex(/^[A-Z0-9-]{1,16}$/)
        .optional(),
      memoryBytes: whole(0, 10_000_000_000_000),
      count: whole(1, 64),
    })
    .optional(),
  /** The memory limit must be enforced by the kernel, not only watched. */
  hardLimits: z.boolean(),
});

/** Money, mostly an hour: millionths of the currency's unit (ISO 4217). */
export const price = z.strictObject({
  microUnits: whole(0, 1_000_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

/** The most jobs that start together. */
export const MOST_IN_GANG = 64;

const weight = whole(0, 1_000_000).optional();

/** The most places whose law a job may deny: with every other field at its longest, its lease still fits into a frame. */
export const MOST_DENIED = 16;

/** The part of a job that the control plane reads to place it; `constraintDigest` of the job statement is its digest. */
export const placementPart = z.strictObject({
  v: z.literal(1),
  type: jobType,
  resources,
  tiers: z.array(tier).min(1).max(3),
  residency: z.array(jurisdiction).max(32),
  /** Countries whose law may not apply; a place of unknown law is denied with them. */
  residencyDeny: z.array(jurisdiction).min(1).max(MOST_DENIED).optional(),
  /** Its keys may be nowhere that strangers could read them in memory. */
  customerKey: z.literal(true).optional(),
  /** The only sites where it may run, since its data lies there; anywhere when absent. */
  sites: z.array(idOf('site')).min(1).max(4).optional(),
  isolation,
  tees: z.array(tee).max(3),
  evidence: z
    .strictObject({ require: z.array(evidenceStandard).max(8), grade: evidenceGrade, maxAgeDays: whole(1, 3650) })
    .optional(),
  egress: z.enum(['none', 'declared']),
  burst: z.enum(['allowed', 'never']),
  onPartition: z.enum(['stop', 'keep']),
  spot: z.enum(['auto', 'never', 'only']),
  maxPrice: price.optional(),
  /** What all attempts together may cost away from home if each takes its longest: hourly price × `maxDurationMs` × `attempts` is within it. */
  budget: price.extend({ attempts: whole(1, 1_000_000) }).optional(),
  /** No attempt starts from then on. */
  deadline: moment.optional(),
  /** How much the job cares, in thousandths; 1,000 each where it does not say. */
  weights: z.strictObject({ cost: weight, speed: weight, reliability: weight, gravity: weight }).optional(),
  priority: whole(0, 100),
  maxDurationMs: whole(1_000, 31_536_000_000),
  /** What another attempt may follow; without it nothing is tried again, however many attempts the job statement allows. */
  retryOn: z.array(retryReason).min(1).max(3).optional(),
  /** It may be told to stop for a job of higher priority, and goes on from its checkpoint later. */
  preemptible: z.literal(true).optional(),
  /** It starts for the first time together with the others of its gang, `size` jobs in all, or not at all. */
  gang: z.strictObject({ id: idOf('gang'), size: whole(2, MOST_IN_GANG) }).optional(),
});

/** Why an offer cannot take a job: a failed hard constraint, in the order in which a refused offer is counted under its first. */
export const CONSTRAINTS = [
  'agent-offline',
  'agent-locked',
  'agent-draining',
  'custodian-away',
  'tier',
  'residency',
  'site',
  'isolation',
  'tee',
  'evidence',
  'egress',
  'customer-key',
  'hard-limits',
  'cpu',
  'memory',
  'disk',
  'gpu',
  'price',
  'spot',
] as const;

/** Those of {@link CONSTRAINTS} that an offer fails only by what others hold of it: they pass when enough of that has ended. */
export const ROOM_CONSTRAINTS = [
  'cpu',
  'memory',
  'disk',
  'gpu',
] as const satisfies readonly (typeof CONSTRAINTS)[number][];

/**
 * What a waiting job may wait for: a constraint, or, at an offer that fails none, room that is kept for a job before it (`held`), members of
 * its gang that nobody ordered yet (`gang-incomplete`), or room for all of them at once (`gang-room`).
 */
export const WAITING_REASONS = [...CONSTRAINTS, 'held', 'gang-incomplete', 'gang-room'] as const;

/** One of {@link CONSTRAINTS}. */
export type Constraint = (typeof CONSTRAINTS)[number];
/** One of {@link WAITING_REASONS}. */
export type WaitingReason = (typeof WAITING_REASONS)[number];
export type Resources = z.infer<typeof resources>;
export type PlacementPart = z.infer<typeof placementPart>;
