import type { EndpointId } from '@ringfence/base';
import { z } from 'zod';
import { attemptNumber, idOf, moment, sensitivity, sha256, whole } from '../fields.ts';
import { partyRoute } from './enrolment.ts';
import { endpointRelease } from './release.ts';
import { serviceSpec } from './service.ts';
import { payloadName } from './workload.ts';

/** `POST /v1/endpoints`, from a device, after its jobs were deposited: a new endpoint, or the next revision of the one with this name. */
export const endpointRequest = z.strictObject({
  name: payloadName,
  service: serviceSpec,
  /** Slot 0 first. */
  jobs: z.array(idOf('job')).min(1).max(100),
});

/** What callers of one token may do; left out: no limit. */
export const tokenLimits = z.strictObject({
  requestsPerMinute: whole(1, 1_000_000).optional(),
  concurrency: whole(1, 100_000).optional(),
  tokensPerMinute: whole(1, 1_000_000_000).optional(),
});

/** `POST /v1/endpoints/NAME/tokens`; the text is shown once. */
export const tokenRequest = z.strictObject({ name: payloadName, expires: moment, limits: tokenLimits });
/** `POST /v1/endpoints/NAME/tokens/TOKEN/revoke`. */
export const revokedAnswer = z.strictObject({});
export const tokenAnswer = z.strictObject({ token: z.string().regex(/^rfe_[A-Za-z0-9_-]{43}$/), name: payloadName });

/** Where a replica is; `wanted`: asked for, not yet ready. */
export const REPLICA_STATES = ['parked', 'wanted', 'ready', 'draining', 'gone'] as const;

/** `POST /v1/replicas`, from the agent that was granted the attempt: at each change, and while it is ready every 20 s, to hear of new gateways. */
export const replicaReport = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  state: z.enum(['ready', 'draining', 'gone']),
});
/** Which agents may forward requests to this replica: the gateways that the custodian lists. No others are let in. */
export const replicaAnswer = z.strictObject({ gateways: z.array(idOf('agent')).max(64) });

const replica = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  agent: idOf('agent'),
  /** How other agents reach its agent. */
  routes: z.array(partyRoute).max(8),
  state: z.enum(['ready', 'draining']),
});

/** One endpoint as gateways know it. Replicas are those of the `current` revision; of one that is going none are listed. */
export const gatewayEndpoint = z.strictObject({
  endpoint: idOf('endpoint'),
  name: payloadName,
  service: serviceSpec,
  /** Of the label of its jobs: for how long a gateway may go on without its custodian. */
  sensitivity,
  replicas: z.array(replica).max(200),
  tokens: z.array(z.strictObject({ digest: sha256, expires: moment, limits: tokenLimits })).max(1_000),
  /** On confidential or restricted data: to whom its answers are released. Nobody, when it is absent there. */
  release: endpointRelease.optional(),
  /** Its owner scaled it to 0 by hand: nobody is to wait for a replica. */
  resting: z.literal(true).optional(),
});

/** Host name of an endpoint in its gateways' certificates, in SNI and in Host: no `_`, which some TLS libraries refuse. */
export const endpointHost = (endpoint: EndpointId): string =>
  `${endpoint.replace('_', '-')}.endpoint.ringfence.internal`;

/** `POST /v1/gateways`, from a device: whether an agent may be a gateway. */
export const gatewayLeave = z.strictObject({ agent: idOf('agent'), allow: z.boolean() });
export const gatewaysAnswer = z.strictObject({ gateways: z.array(idOf('agent')).max(64) });

/** `GET /v1/gateway?after=N`, from a gateway: answers when the list's number is not N, else after 25 s with the same N. */
export const gatewayView = z.strictObject({
  seq: whole(0, Number.MAX_SAFE_INTEGER),
  at: moment,
  endpoints: z.array(gatewayEndpoint).max(1_000),
});

/** `POST /v1/gateway/certificate`: the gateway's TLS key as PKCS#10; answers with the chain, leaf first. */
export const gatewayCertificateRequest = z.strictObject({ request: z.string().max(16_384) });
export const gatewayCertificateAnswer = z.strictObject({ chain: z.string().max(65_536), notAfter: moment });

/** `POST /v1/gateway/load`, from a gateway: what it sees now. */
export const gatewayLoad = z.strictObject({
  /** Where callers reach it: `host:port` of its listener, none when it has no LAN listener. */
  listens: z.string().max(260).nullable(),
  endpoints: z
    .array(
      z.strictObject({
        endpoint: idOf('endpoint'),
        inFlight: whole(0, 1_000_000),
        held: whole(0, 1_000_000),
        requestsPerSecond: whole(0, 10_000_000),
      }),
    )
    .max(1_000),
});

export const gatewayLoadAnswer = z.strictObject({});

/** `GET /v1/endpoints`, for a device. */
export const endpointRow = z.strictObject({
  endpoint: idOf('endpoint'),
  name: payloadName,
  api: z.enum(['http', 'openai']),
  scale: z.strictObject({ min: whole(0, 100), max: whole(0, 100), manual: z.boolean() }),
  revision: whole(1, 1_000_000),
  coming: whole(1, 1_000_000).nullable(),
  /** A revision is there that requests go to; replicas may still be none. */
  ready: z.boolean(),
  replicas: z
    .array(z.strictObject({ job: idOf('job'), revision: whole(1, 1_000_000), state: z.enum(REPLICA_STATES) }))
    .max(400),
  gateways: z
    .array(
      z.strictObject({
        agent: idOf('agent'),
        listens: z.string().max(260).nullable(),
        routes: z.array(partyRoute).max(8),
      }),
    )
    .max(64),
  tokens: z.array(z.strictObject({ name: payloadName, expires: moment, limits: tokenLimits })).max(1_000),
});
export const endpointsAnswer = z.strictObject({
  endpoints: z.array(endpointRow).max(1_000),
  issuer: z.string().max(16_384),
});

/** `POST /v1/endpoints/NAME/scale`; null gives it back to the autoscaler. */
export const scaleRequest = z.strictObject({ replicas: whole(0, 100).nullable() });

/** An answer of an agent that carries it was not made by a replica; its value says why the request was not taken. */
export const REFUSAL_HEADER = 'ringfence-refusal';

export type GatewayEndpoint = z.infer<typeof gatewayEndpoint>;
export type GatewayView = z.infer<typeof gatewayView>;
export type GatewayLoad = z.infer<typeof gatewayLoad>;
export type EndpointRow = z.infer<typeof endpointRow>;
export type TokenLimits = z.infer<typeof tokenLimits>;
