import { request as requestHttp, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HOP_BY_HOP } from '../http/hop-by-hop.ts';
import { requestUpstream, type UpstreamProxy } from './upstream-proxy.ts';

/** A place that stays silent for so long is given up. */
export const IDLE_MS = 600_000;

/** What is asked of the origin: the target as its list names it, and the path. */
export interface ForwardedRequest {
  readonly key: string;
  readonly path: string;
}

/** Passes a plain HTTP request on over `socket`, and its answer back. */
export function forwardStraight(
  request: IncomingMessage,
  response: ServerResponse,
  to: ForwardedRequest & { readonly socket: Socket },
): void {
  const { method = 'GET' } = request;
  const headers = { ...passedOn(request), ...framing(request), host: hostHeader(to.key), connection: 'close' };
  const onward = requestHttp({ createConnection: () => to.socket, method, path: to.path, headers, setHost: false });
  relay(request, response, onward);
}

/** The same by the site's proxy, in absolute-form: many a proxy allows CONNECT to port 443 alone. */
export function forwardUpstream(
  request: IncomingMessage,
  response: ServerResponse,
  to: ForwardedRequest & { readonly upstream: UpstreamProxy },
): void {
  const { method = 'GET' } = request;
  const headers = { ...passedOn(request), ...framing(request), host: hostHeader(to.key), connection: 'close' };
  const onward = requestUpstream(to.upstream, { method, path: `http://${hostHeader(to.key)}${to.path}`, headers });
  relay(request, response, onward);
}

function relay(request: IncomingMessage, response: ServerResponse, onward: ClientRequest): void {
  onward.setTimeout(IDLE_MS, () => onward.destroy(new Error('silent')));
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, passedOn(answer));
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onward.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { 'content-type': 'text/plain' }).end('the place did not answer\n');
  });
  // Whoever leaves takes the other side along.
  response.on('close', () => onward.destroy());
  if (response.destroyed) return void onward.destroy();
  request.pipe(onward);
}

function passedOn(message: IncomingMessage): Record<string, string | string[]> {
  const named = (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  const kept = Object.entries(message.headers).filter(([name]) => !dropped.has(name));
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/**
 * How long the body is, as it came: without it Node sends the body of a GET bare, and a proxy could take that for the job's next request,
 * to a place that nobody listed. What `Connection` names does not count here.
 */
function framing({ headers }: IncomingMessage): Record<string, string> {
  if (headers['transfer-encoding'] !== undefined) return { 'transfer-encoding': 'chunked' };
  const length = headers['content-length'];
  return length === undefined ? {} : { 'content-length': length };
}

function hostHeader(key: string): string {
  return key.replace(/:80$/, '');
}
