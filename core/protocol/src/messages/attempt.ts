import { z } from 'zod';
import { attemptNumber, envelope, idOf, whole } from '../fields.ts';
import { LONGEST_LEASE_MS, OUTCOMES } from '../statements/job.ts';
import { placementPart } from '../statements/placement.ts';

/** Where an attempt stands, as its agent sees it. */
const ATTEMPT_STATES = ['accepted', 'refused', 'starting', 'running', 'stopped'] as const;
/** Why an agent does not start an attempt that it was leased. */
export const REFUSALS = [
  'bad-job-signature',
  'unknown-device',
  'job-expired',
  'bad-lease',
  'not-this-agent',
  'attempt-not-new',
  'constraints-edited',
  'bad-receipt',
  'bad-label',
  'stale-keyring',
  'capacity',
  'isolation',
  'residency',
  'custodian-unreachable',
  'grant-refused',
  'bad-grant',
  'payload-mismatch',
  'locked',
  'disk-full',
  'data-changed',
] as const;

const run = { job: idOf('job'), attempt: attemptNumber };

/** The three statements' first two, with what they name; the agent fetches the third itself. */
export const lease = z.strictObject({
  job: envelope,
  label: envelope,
  placement: placementPart,
  receipt: envelope,
  lease: envelope,
  echo: whole(0, Number.MAX_SAFE_INTEGER),
});

/** Leases that go on for `ttlMs` from the moment the agent *sent* the frame with sequence `echo` (a delayed frame extends nothing). */
export const renew = z.strictObject({
  echo: whole(0, Number.MAX_SAFE_INTEGER),
  leases: z.array(z.strictObject({ ...run, ttlMs: whole(1_000, LONGEST_LEASE_MS) })).max(64),
});

/** End an attempt: SIGTERM, then after `graceMs` SIGKILL. */
export const stop = z.strictObject({
  ...run,
  graceMs: whole(0, 600_000),
  reason: z.enum(['requested', 'superseded', 'expired', 'drain', 'committed']),
});

/** One step of an attempt. */
export const attemptStatus = z.strictObject({
  ...run,
  state: z.enum(ATTEMPT_STATES),
  refusal: z.enum(REFUSALS).optional(),
  outcome: z.enum(OUTCOMES).optional(),
});

/** The custodian's notice that a commit record exists for this attempt. */
export const committed = z.strictObject({ ...run });

/** The custodian's word that a `serve` job is to run, or to be parked; `final` ends it for good. */
export const wanted = z.strictObject({
  job: idOf('job'),
  wanted: z.boolean(),
  graceMs: whole(0, 600_000),
  final: z.literal(true).optional(),
});

/** The control plane's notice to the custodian that a job is over without a commit. */
export const jobClosed = z.strictObject({ job: idOf('job'), state: z.enum(['failed', 'cancelled']) });

export type AttemptState = (typeof ATTEMPT_STATES)[number];
export type Refusal = (typeof REFUSALS)[number];
