import { jsonOf, type Clock, type Log } from '@ringfence/base';
import type { ServerCertificate } from '@ringfence/client/server-certificate';
import { ACTIONS, assertDeclared, type Authoriser } from '@ringfence/policy/authorise';
import Fastify, { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Answered } from '../metrics.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { WaitingLine } from '../waiting-line.ts';
import { authenticate } from './authenticate.ts';
import { tlsOptions } from './kept-certificate.ts';
import { openApi } from './openapi.ts';
import { BadBody, problemsOf, refusalOf } from './refusal.ts';
import type { Caller, Route, RouteCall } from './route.ts';

/** What the API needs. */
export interface ApiOptions {
  readonly routes: readonly Route[];
  readonly certificate: ServerCertificate;
  readonly store: ControlPlaneStore;
  readonly authoriser: Authoriser;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly onAnswer?: (answer: Answered) => void;
}

const LARGEST_BODY = 64 * 1024;
/**
 * More changes at once would wait on each other's rows, and hold connections that reads need; a caller waits 30 s for an answer. The changes of
 * one organisation are committed one after the other: four keep it busy, and more would only keep places from the others.
 */
const CHANGES = { atOnce: 32, longestWaitMs: 20_000, each: { atOnce: 4, mostWaiting: 1_250 } } as const;
const MOST_CONNECTIONS = 20_000;

/** The HTTPS server of the API; `listen` is the caller's. Throws PolicyError when a route's action is not declared. */
export function createApiServer(options: ApiOptions) {
  const server = Fastify({
    https: {
      ...tlsOptions(options.certificate),
      // Slow clients would otherwise hold a socket for minutes.
      handshakeTimeout: 5_000,
      headersTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
      // A list of protocols would be copied for each connection, and each copy keep 64 KiB of Node's pool of small buffers alive.
      ALPNCallback: ({ protocols }) => protocols.find((protocol) => protocol === 'http/1.1'),
    },
    requestTimeout: 10_000,
    keepAliveTimeout: 60_000,
    bodyLimit: LARGEST_BODY,
    routerOptions: { maxParamLength: 64 },
  });
  server.server.maxConnections = MOST_CONNECTIONS;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  server.setErrorHandler((error, _, reply) => {
    const { status, answer, retryAfterS } = refusalOf(error, options.log);
    refused.set(reply.raw, answer.error.code);
    if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
    return reply.status(status).send(answer);
  });
  server.setNotFoundHandler(() => {
    throw new ControlPlaneError('not-found', 'there is nothing here', { next: 'see /v1/openapi.json' });
  });
  const refused = new WeakMap<object, string>();
  server.addHook('onResponse', async (request, reply) => {
    const route = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    const code = refused.get(reply.raw);
    options.onAnswer?.({ route, status: reply.statusCode, seconds: reply.elapsedTime / 1000, code });
  });
  const line = new WaitingLine(options.clock, CHANGES);
  const description = openApi(options.routes, options.version);
  server.get('/v1/openapi.json', (_, reply) => reply.send(description));
  for (const route of options.routes) {
    if (route.action !== 'public') assertDeclared(route.action);
    server.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => reply.send(await answerOf(route, request, { ...options, line })),
    });
  }
  return server;
}

/** Changes wait for their turn only when it is known whose they are. */
async function answerOf(
  route: Route,
  request: FastifyRequest,
  options: ApiOptions & { readonly line: WaitingLine },
): Promise<unknown> {
  const { store, clock, authoriser, line } = options;
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const parameters = stringsOf(request.params);
  const call = (): RouteCall<unknown> => ({ body: parseBody(route, bytes), parameters });
  const isRead = route.method === 'GET';
  if (route.action === 'public') return isRead ? route.handle(call()) : line.run(() => route.handle(call()), 'public');
  const url = new URL(request.url, 'https://control-plane');
  const signed = {
    method: request.method,
    path: url.pathname,
    query: url.search === '' ? '?' : url.search,
    body: bytes,
  };
  const { caller, spendNonce } = await authenticate(store, clock, signed, request.headers);
  authorise(route, caller, { authoriser, resource: parameters['job'] ?? caller.org });
  if (isRead)
    return route.costly === true
      ? line.run(() => route.handle(call(), caller), caller.org)
      : route.handle(call(), caller);
  return line.run(async () => {
    await spendNonce();
    return route.handle(call(), caller);
  }, caller.org);
}

function authorise(route: Route, { device, org }: Caller, by: { authoriser: Authoriser; resource: string }): void {
  if (route.action === 'public') return;
  // One owner per organisation: the custodian announces no other devices. Whose the resource is, row-level security decides.
  const principal = { type: 'Device', id: device, org, roles: [{ role: 'owner' }] } as const;
  const resource = { type: ACTIONS[route.action].resource, id: by.resource, org };
  if (by.authoriser.authorise({ principal, action: route.action, resource }).allow) return;
  throw new ControlPlaneError('not-authorised', 'the policy does not allow this', {
    next: 'ask an owner of the organisation',
  });
}

function parseBody(route: Route, bytes: Uint8Array): unknown {
  if (route.body === undefined) return undefined;
  const parsed = route.body.safeParse(jsonOf(bytes));
  if (parsed.success) return parsed.data;
  throw new BadBody(problemsOf(parsed.error.issues));
}

function stringsOf(value: unknown): Record<string, string> {
  return z.record(z.string(), z.string()).catch({}).parse(value);
}
