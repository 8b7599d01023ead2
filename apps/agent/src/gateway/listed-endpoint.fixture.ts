import { newId, systemRng as rng } from '@ringfence/base';
import type { GatewayEndpoint } from '@ringfence/protocol/payload';
import type { ListedReplica } from './target.ts';

/** An endpoint as its custodian lists it, without replicas and tokens. */
export const LISTED: GatewayEndpoint = {
  endpoint: newId('endpoint', rng),
  name: 'e',
  service: { port: 8_000, api: 'http', replicas: { min: 0, max: 1 } },
  sensitivity: 'internal',
  replicas: [],
  tokens: [],
};

/** A replica of it that is ready. */
export const READY_REPLICA: ListedReplica = {
  job: newId('job', rng),
  attempt: 1,
  agent: newId('agent', rng),
  routes: [],
  state: 'ready',
};
