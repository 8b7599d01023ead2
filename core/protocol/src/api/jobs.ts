import { z } from 'zod';
import {
  attemptNumber,
  envelope,
  idOf,
  isolation,
  jobType,
  moment,
  retryReason,
  sensitivity,
  sha256,
  tier,
  whole,
} from '../fields.ts';
import { REFUSALS } from '../messages/attempt.ts';
import { placementPart } from '../statements/placement.ts';
import { OUTCOMES } from '../statements/job.ts';
import { waitingCounts } from './placement.ts';

/** States of a job at the control plane; one transition table rules them. `parked`: a `serve` job that its custodian does not want to run now. */
export const JOB_STATES = [
  'submitted',
  'parked',
  'queued',
  'leased',
  'starting',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'lost',
] as const;

/** `POST /v1/jobs`: the signed order, the signed label and the part that placement reads. */
export const jobSubmission = z.strictObject({ job: envelope, label: envelope, placement: placementPart });
/** Why an attempt was told to stop, before its own end. `drain`: its server is drained; `evidence`: a document that it relied on was taken back; `admission`: its machine is admitted no more; `preempted`: a job of higher priority needs the room. */
const STOP_CAUSES = ['requested', 'superseded', 'committed', 'drain', 'evidence', 'admission', 'preempted'] as const;
/** An attempt as the control plane knows it. */
export const attemptRow = z.strictObject({
  attempt: attemptNumber,
  agent: idOf('agent'),
  state: z.enum(['leased', 'accepted', 'starting', 'running', 'stopped', 'refused', 'expired']),
  outcome: z.enum(OUTCOMES).nullable(),
  /** Why its agent did not start it. */
  refusal: z.enum(REFUSALS).optional(),
  stopCause: z.enum(STOP_CAUSES).optional(),
  leaseUntil: moment,
  receipt: envelope,
  lease: envelope,
});
/** A job as the control plane knows it: ids, states, times; no names. */
export const jobView = z.strictObject({
  job: idOf('job'),
  type: jobType,
  state: z.enum(JOB_STATES),
  sensitivity,
  device: idOf('device'),
  submittedAt: moment,
  changedAt: moment,
  waitingFor: waitingCounts,
  /** Why and when the next attempt follows, while it waits for its time. */
  retry: z.strictObject({ at: moment, reason: retryReason }).nullable(),
  attempts: z.array(attemptRow),
});
export const jobList = z.strictObject({
  jobs: z.array(
    jobView.omit({ attempts: true, waitingFor: true, retry: true }).extend({
      /** Of the newest attempt. */
      refusal: z.enum(REFUSALS).optional(),
      stopCause: z.enum(STOP_CAUSES).optional(),
    }),
  ),
});
/** One row of the signed-in-order history of a job. */
export const jobEvent = z.strictObject({
  seq: whole(1, Number.MAX_SAFE_INTEGER),
  type: z.string().max(64),
  at: moment,
  hash: sha256,
});
export const jobEvents = z.strictObject({ events: z.array(jobEvent) });
/** `POST /v1/jobs/JOB/stop`. */
export const jobStop = z.strictObject({ graceMs: whole(0, 600_000) });

/** `POST /v1/jobs/JOB/fence`, here and at the custodian: the statement by an officer's device. */
export const jobFence = z.strictObject({ fence: envelope });

/** `GET /v1/agents`. */
export const agentView = z.strictObject({
  agent: idOf('agent'),
  online: z.boolean(),
  locked: z.boolean(),
  draining: z.boolean(),
  tier,
  isolations: z.array(isolation),
  hardLimits: z.boolean(),
  cpuMilli: whole(0, 1e9),
  memoryBytes: whole(0, Number.MAX_SAFE_INTEGER),
  freeCpuMilli: whole(0, 1e9),
  freeMemoryBytes: whole(0, Number.MAX_SAFE_INTEGER),
  seenAt: moment.nullable(),
});
/** `POST /v1/agents/AGENT/drain`; with `stopWithinMs` what runs there is told to stop, with so much grace. */
export const agentDrain = z.strictObject({ drain: z.boolean(), stopWithinMs: whole(0, 600_000).optional() });
export const agentList = z.strictObject({ agents: z.array(agentView) });

export type JobState = (typeof JOB_STATES)[number];
export type StopCause = (typeof STOP_CAUSES)[number];
export type JobView = z.infer<typeof jobView>;
