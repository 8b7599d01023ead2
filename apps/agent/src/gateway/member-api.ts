import type { IncomingMessage, ServerResponse } from 'node:http';
import { isId } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import { headMaxAge, type Keyring } from '@ringfence/keyring';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import type { Gateway } from './gateway.ts';

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
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const peer = peerOf(request);
    const allowed = peer.kind === 'known' && mayCall(keyring.keyring, peer.id);
    if (!allowed || !keyring.isCurrent(headMaxAge('restricted')))
      return refuse(request, response, 403, 'this device may not call endpoints here');
    const target = request.url ?? '';
    if (target === METRICS && request.method === 'GET') {
      const body = JSON.stringify(gateway.metrics());
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    }
    const [, name = '', path = '/'] = CALL.exec(target) ?? [];
    if (gateway.fromMember(request, response, { name, path })) return;
    refuse(request, response, 404, 'this gateway serves no such endpoint');
  };
}

/** What the built-in policy lets do `endpoint:call`: an owner of the organisation. */
function mayCall(keyring: Keyring, device: string): boolean {
  if (!isId('device', device) || keyring.device(device) === undefined) return false;
  return keyring.rolesOf(device).some(({ role, project }) => role === 'owner' && project === undefined);
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  request.resume();
  const error = { code: status === 403 ? 'not-authorised' : 'not-found', message };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
