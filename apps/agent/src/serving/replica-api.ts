import type { IncomingMessage, ServerResponse } from 'node:http';
import { isId, sleep, type Clock } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import { headMaxAge } from '@ringfence/keyring';
import { REFUSAL_HEADER } from '@ringfence/protocol/payload';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import type { TakeRefusal } from './forward.ts';
import { toReplica } from './forwarded-headers.ts';
import type { Replica } from './replica.ts';
import type { Replicas } from './replicas.ts';
import { bodyOf } from './request-body.ts';

/** What forwarding for gateways of other agents needs. */
export interface ReplicaApiOptions {
  readonly replicas: Replicas;
  readonly keyring: KeyringCopy;
  readonly clock: Clock;
}

/** `/v1/replicas/JOB/ATTEMPT/<path>`. */
const TARGET = /^\/v1\/replicas\/([a-z0-9_]{1,64})\/(\d{1,7})(\/.*)$/s;
/** Asked first on each link, so that nobody sends a request into a link that is not admitted. */
const ADMITTED = '/v1/replicas';
/** A gateway that was allowed a moment ago is not in the list yet: it is asked for again, at most so often. */
const ASK_AGAIN_MS = 1_000;
const ASK_WITHIN_MS = 3_000;

/** Whether a request is one for {@link replicaApi}. */
export function isReplicaRequest(target: string): boolean {
  return target === ADMITTED || target.startsWith(`${ADMITTED}/`);
}

/** Forwards requests of gateways to the replicas here. Whoever the custodian did not name a gateway of the replica gets nothing. */
export function replicaApi(options: ReplicaApiOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    if (request.url === ADMITTED) return void response.writeHead(204).end();
    void take(options, request, response).catch(() => response.destroy());
  };
}

async function take(options: ReplicaApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, job = '', attempt = '', path = ''] = TARGET.exec(request.url ?? '') ?? [];
  const replica = isId('job', job) ? options.replicas.find(job, Number(attempt)) : undefined;
  const peer = peerOf(request);
  if (peer.kind !== 'known' || !isId('agent', peer.id)) return refuse(response, 'not-a-gateway');
  // The same answer for a replica that is not here and one that is not this gateway's.
  if (replica === undefined || !(await isGateway(options, replica, peer.id))) return refuse(response, 'not-here');
  if (!replica.takes) return refuse(response, 'draining');
  const body = await bodyOf(request, undefined);
  if (body === 'too-large') return refuse(response, 'not-here');
  const outgoing = {
    method: request.method ?? 'GET',
    path,
    headers: toReplica(request.rawHeaders, replica.host),
    body,
  };
  const forwarded = await replica.forward(outgoing, response);
  if (forwarded === 'not-taken') return refuse(response, replica.takes ? 'no-connection' : 'draining');
  if (forwarded === 'lost' || forwarded === 'silent') refuse(response, forwarded);
}

async function isGateway(
  { replicas, keyring, clock }: ReplicaApiOptions,
  replica: Replica,
  agent: string,
): Promise<boolean> {
  const maxAge = headMaxAge(replica.sensitivity);
  if (!isId('agent', agent) || keyring.keyring.agent(agent) === undefined || !keyring.isCurrent(maxAge)) return false;
  const known = replicas.gatewaysOf(replica);
  if (known?.agents.has(agent) === true) return clock.monotonic() - known.at <= maxAge;
  if (known !== undefined && clock.monotonic() - known.at < ASK_AGAIN_MS) return false;
  await Promise.race([replicas.askGateways(replica), sleep(clock, ASK_WITHIN_MS)]);
  return replicas.gatewaysOf(replica)?.agents.has(agent) === true;
}

function refuse(response: ServerResponse, reason: TakeRefusal): void {
  if (response.destroyed || response.headersSent) return void response.destroy();
  response.writeHead(503, { [REFUSAL_HEADER]: reason, 'content-length': '0' }).end();
}
