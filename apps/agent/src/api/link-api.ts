import type { IncomingMessage, ServerResponse } from 'node:http';
import { isId } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import { isMemberRequest } from '../gateway/member-api.ts';
import { isReplicaRequest } from '../serving/replica-api.ts';

import { isFederationPeer, isFederationRequest } from '../federation/transport/federation-desk.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Who answers what on payload links to an agent. */
export interface LinkHandlers {
  /** Jobs, for devices. */
  readonly jobs: Handler;
  /** Replicas, for gateways of other agents. */
  readonly replicas: Handler;
  /** Endpoints, for members. */
  readonly members: Handler;
  /** Federations, for clients of contracts. */
  readonly federations: Handler;
}

/** Sends each request to who answers it: other agents reach replicas and nothing else. */
export function linkApi({ jobs, replicas, members, federations }: LinkHandlers): Handler {
  return (request, response) => {
    const target = request.url ?? '';
    if (isFederationRequest(target)) return federations(request, response);
    const peer = peerOf(request);
    // Of no organisation here: it is let in for its contract and nothing else.
    if (isFederationPeer(peer)) return notFound(request, response);
    if (isReplicaRequest(target)) return replicas(request, response);
    if (peer.kind === 'known' && isId('agent', peer.id)) return notFound(request, response);
    if (isMemberRequest(target)) return members(request, response);
    jobs(request, response);
  };
}

function notFound(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const error = { code: 'not-found', message: 'there is no such thing here for an agent' };
  response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
