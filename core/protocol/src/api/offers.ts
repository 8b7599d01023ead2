import { z } from 'zod';
import {
  evidenceGrade,
  evidenceStandard,
  idOf,
  isolation,
  jurisdiction,
  moment,
  region,
  sha256,
  tee,
  tier,
  whole,
} from '../fields.ts';
import { price } from '../statements/placement.ts';

const bytes = whole(0, Number.MAX_SAFE_INTEGER);

/** Why an offer gets no jobs for a time: its agent refused too many in a row, did not stop when told to, or runs on without a lease. */
export const avoidanceReason = z.enum(['refuses', 'ignores-stop', 'outlives-lease']);

/** What one offer is to the placer. */
const offered = z.strictObject({
  tier,
  region,
  jurisdictions: z.array(jurisdiction),
  isolations: z.array(isolation),
  tees: z.array(tee),
  hardLimits: z.boolean(),
  diskFull: z.boolean(),
  spot: z.boolean(),
  price: price.nullable(),
  /** Against a reference machine of 1. */
  speed: z.number(),
  /** The share of attempts that its own history lost nothing of. */
  reliability: z.number().min(0).max(1),
  evidence: z.array(
    z.strictObject({ digest: sha256, standard: evidenceStandard, grade: evidenceGrade, notAfter: moment }),
  ),
  freeCpuMilli: whole(0, 1e9),
  freeMemoryBytes: bytes,
  freeDiskBytes: bytes,
  gpus: z.array(z.strictObject({ model: z.string(), memoryBytes: bytes, count: whole(0, 64), free: whole(0, 64) })),
});

/** One row of `GET /v1/offers`. */
export const offerView = z.strictObject({
  offer: idOf('offer'),
  agent: idOf('agent'),
  online: z.boolean(),
  locked: z.boolean(),
  draining: z.boolean(),
  /** Away from home, and to be given back: it gets no new work, as one that drains. */
  cordoned: z.boolean().optional(),
  /** Null for an offer that is not as offers have to be: then `quarantined` says why it gets no jobs. */
  offered: offered.nullable(),
  /** Until when a provider's machine gets jobs; 0 once its admission has ended, null at home and where nobody said. */
  admittedUntil: moment.nullable(),
  /** For what, and until when, an offer gets no jobs whose agent does not do what it offers. */
  avoided: z.strictObject({ reason: avoidanceReason, until: moment }).nullable(),
  quarantined: z.array(z.strictObject({ field: z.string().max(64), fault: z.string().max(64) })),
});
export const offerList = z.strictObject({ offers: z.array(offerView) });

export type AvoidanceReason = z.infer<typeof avoidanceReason>;
export type OfferView = z.infer<typeof offerView>;
