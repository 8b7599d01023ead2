import { z } from 'zod';
import { idOf, moment, whole } from '../fields.ts';
import { payloadName } from './workload.ts';

/** Why a gateway answered itself, instead of a replica. */
export const GATEWAY_REFUSALS = [
  'unauthorised',
  'not-released',
  'limit-requests',
  'limit-concurrency',
  'limit-tokens',
  'bad-request',
  'too-large',
  'no-replica',
  'scaled-to-zero',
  'replica-lost',
  'replica-silent',
  'stale-view',
] as const;

/** Upper bounds in milliseconds of the classes that answers are counted in, by when they began; the last class has none. */
export const LATENCY_BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000];

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** What a gateway counted of one endpoint since it started. */
export const endpointCounts = z.strictObject({
  endpoint: idOf('endpoint'),
  name: payloadName,
  /** Answers by the first digit of their status, the gateway's own included. */
  answers: z.strictObject({ '1xx': count, '2xx': count, '3xx': count, '4xx': count, '5xx': count }),
  inFlight: count,
  held: count,
  /** One more than there are bounds. */
  latency: z.array(count).length(LATENCY_BOUNDS_MS.length + 1),
  latencyMsSum: z.number().min(0),
  tokensIn: count,
  tokensOut: count,
  refusals: z.record(z.enum(GATEWAY_REFUSALS), count),
});

/** `GET /v1/gateway/metrics` of a gateway, for a device. */
export const gatewayMetrics = z.strictObject({ at: moment, endpoints: z.array(endpointCounts).max(1_000) });

export type GatewayRefusal = (typeof GATEWAY_REFUSALS)[number];
export type EndpointCounts = z.infer<typeof endpointCounts>;
export type GatewayMetrics = z.infer<typeof gatewayMetrics>;
