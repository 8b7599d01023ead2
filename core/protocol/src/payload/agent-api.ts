import { z } from 'zod';
import { attemptNumber, idOf, isolation, moment, whole } from '../fields.ts';
import { OUTCOMES } from '../statements/job.ts';
import { egressUse } from './egress.ts';

/** Steps of an attempt at its agent, in order. */
export const ATTEMPT_PHASES = [
  'leased',
  'granted',
  'fetching',
  'setup',
  'running',
  'collecting',
  'committing',
  'ended',
] as const;

/** What a failing job yields for its owner: at most 256 bytes, no values. */
export const failureEnvelope = z.strictObject({
  class: z.enum(['user-code', 'setup', 'resources', 'platform']),
  exception: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.]{0,63}$/)
    .optional(),
  at: z
    .string()
    .regex(/^[A-Za-z0-9_./-]{1,120}:\d{1,7}$/)
    .optional(),
  exitCode: whole(0, 255).optional(),
  signal: z
    .string()
    .regex(/^SIG[A-Z0-9]{1,10}$/)
    .optional(),
  peakMemoryMb: whole(0, 100_000_000).optional(),
});

/** How a replica was asked whether it is ready, and what came of it last. */
export const readiness = z.strictObject({
  port: whole(1, 65_535),
  /** What has to answer 200; absent when an open port is enough. */
  path: z.string().max(1_024).optional(),
  /** `no-connection`: nothing listens. `no-answer`: it hung up, or said nothing for 5 s. `status`: another than 200. */
  last: z.enum(['not-asked', 'no-connection', 'no-answer', 'status', 'ready']),
  status: whole(100, 999).optional(),
  /** Since when it has been asked; of one that is ready, since when it is. */
  since: moment,
});

/** `GET /v1/jobs/JOB?attempt=N` at the agent that runs it. */
export const attemptView = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  phase: z.enum(ATTEMPT_PHASES),
  isolation,
  limits: z.enum(['cgroup-v1', 'cgroup-v2', 'systemd-scope', 'rlimits', 'none']),
  startedAt: moment.nullable(),
  endedAt: moment.nullable(),
  outcome: z.enum(OUTCOMES).nullable(),
  failure: failureEnvelope.nullable(),
  logBytes: whole(0, Number.MAX_SAFE_INTEGER),
  /** Bytes of the log that made room for newer ones at its server; absent while it is there. */
  logDropped: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  peakMemoryBytes: whole(0, Number.MAX_SAFE_INTEGER).nullable(),
  cpuMs: whole(0, Number.MAX_SAFE_INTEGER).nullable(),
  /** Absent where the job has no way out, or has not used it. */
  egress: egressUse.optional(),
  /** Of replicas alone. */
  readiness: readiness.optional(),
});

/** `GET /v1/jobs/JOB/logs?attempt=N&from=BYTE&follow=1` streams these, one JSON object a line; it ends with `end` unless the client leaves. */
export const logLine = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('line'),
    at: moment,
    stream: z.enum(['setup', 'out', 'err']),
    text: z.string().max(65_536),
    next: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  /** The log made room for newer ones, all of it. */
  z.strictObject({ kind: z.literal('dropped'), bytes: whole(0, Number.MAX_SAFE_INTEGER) }),
  z.strictObject({ kind: z.literal('end'), outcome: z.enum(OUTCOMES) }),
]);

export type Readiness = z.infer<typeof readiness>;
/** Names in the pack of a log that was sealed to the custodian: lines of the log without `kind` and `next`, and the answer to `GET …/metrics`. */
export const SEALED_LOG = 'log.jsonl';
export const SEALED_METRICS = 'metrics.ndjson';

export type AttemptView = z.infer<typeof attemptView>;
export type AttemptPhase = (typeof ATTEMPT_PHASES)[number];
export type FailureEnvelope = z.infer<typeof failureEnvelope>;
export type LogLine = z.infer<typeof logLine>;
