import { z } from 'zod';
import { attemptNumber, idOf, moment, whole } from '../fields.ts';
import { OUTCOMES } from '../statements/job.ts';
import { ATTEMPT_PHASES } from './agent-api.ts';

/** Who measured: the agent's machine, or the job itself. Names of the two never meet. */
export const METRIC_SOURCES = ['machine', 'job'] as const;

/** Why a line of a job's was not taken: it does not parse, is over a limit, is no number, or never reached the agent. */
export const METRIC_REFUSALS = ['malformed', 'too-long', 'not-finite', 'too-many-series', 'lost'] as const;

/** A metric's name. */
export const metricName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_./-]{0,63}$/);
/** A label's name. */
export const metricLabelName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,31}$/);
/** A label's value: one line of text that moves no cursor and ends no quotation. */
export const metricLabelValue = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}"\\]{0,64}$/u);
/** Most labels of one series. */
export const METRIC_LABELS = 4;

const labels = z
  .record(metricLabelName, metricLabelValue)
  .refine((value) => Object.keys(value).length <= METRIC_LABELS, 'too many labels');

/** What one or more neighbouring values came to; `min`, `max` and `count` are there when it is more than one. */
export const metricPoint = z.strictObject({
  at: moment,
  value: z.number(),
  step: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  count: whole(2, Number.MAX_SAFE_INTEGER).optional(),
});

/** What every answer names a series by. */
export const metricSeries = z.strictObject({
  source: z.enum(METRIC_SOURCES),
  name: metricName,
  labels,
  unit: z.enum(['cores', 'bytes', 'percent', 'processes']).optional(),
});

/**
 * `GET /v1/jobs/JOB/metrics?attempt=N[&since=MS][&last=MS]` answers with these, one JSON object a line: each series with its points later than
 * `since`, a moment of the agent's clock, or in the last so many milliseconds; then how the attempt stands.
 */
export const metricLine = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('series'), ...metricSeries.shape, points: z.array(metricPoint).max(1_000) }),
  z.strictObject({
    kind: z.literal('state'),
    job: idOf('job'),
    attempt: attemptNumber,
    at: moment,
    phase: z.enum(ATTEMPT_PHASES),
    outcome: z.enum(OUTCOMES).nullable(),
    refused: z.partialRecord(z.enum(METRIC_REFUSALS), whole(0, Number.MAX_SAFE_INTEGER)),
  }),
]);

export type MetricLine = z.infer<typeof metricLine>;
export type MetricPoint = z.infer<typeof metricPoint>;
export type MetricSeries = z.infer<typeof metricSeries>;
export type MetricRefusal = (typeof METRIC_REFUSALS)[number];
