import type { IncomingMessage, ServerResponse } from 'node:http';
import { peerOf } from '@ringfence/client/payload-link';
import { headMaxAge } from '@ringfence/keyring';
import { REFUSAL_HEADER } from '@ringfence/protocol/payload';
import { sendJson, sendRefusal } from '../http/send-json.ts';
import type { FollowedLocks } from '../link/followed-locks.ts';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import type { Gateway } from './gateway.ts';
import { CALLERS, mayCall } from './may-call.ts';

const METRICS = '/v1/gateway/metrics';
/** `/v1/endpoints/NAME/<path>`. */
const CALL = /^\/v1\/endpoints\/([^/?]{1,63})(\/.*)?$/s;

/** Whether a request is one for {@link memberApi}. */
export function isMemberRequest(target: string): boolean {
  return target === METRICS || target.startsWith('/v1/endpoints/');
}

/** What members ask of a gateway over payload links: calls without a token, and what it counted. */
export function memberApi(
  gateway: Gateway,
  keyring: KeyringCopy,
  locks: Pick<FollowedLocks, 'suspended'>,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const peer = peerOf(request);
    const device = peer.kind === 'known' ? peer.id : '';
    if (!mayCall(keyring.keyring, device, locks.suspended))
      return refuse(
        request,
        response,
        403,
        `an endpoint is called by ${CALLERS.join(' or ')}: ask an owner for the role`,
      );
    if (!keyring.isCurrent(headMaxAge('restricted')))
      return refuse(request, response, 403, 'this agent has not heard from its custodian who may call');
    const target = request.url ?? '';
    if (target === METRICS && request.method === 'GET') return sendJson(response, 200, gateway.metrics());
    const [, name = '', path = '/'] = CALL.exec(target) ?? [];
    if (gateway.fromMember(request, response, { name, path, device })) return;
    refuse(request, response, 404, 'this gateway serves no such endpoint');
  };
}

/** Answers members at an agent that is none, so that they do not take its word for an endpoint's. */
export function notAGateway(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.setHeader(REFUSAL_HEADER, 'not-a-gateway');
  sendRefusal(response, 404, 'not-a-gateway', 'this agent was not started with --gateway');
}

function refuse(request: IncomingMessage, response: ServerResponse, status: 403 | 404, message: string): void {
  request.resume();
  const code = status === 403 ? 'not-authorised' : 'not-found';
  response.setHeader(REFUSAL_HEADER, code);
  sendRefusal(response, status, code, message);
}
