import { errorFields, type Clock, type Log } from '@ringfence/base';
import { ACTIONS, assertDeclared, type Authoriser } from '@ringfence/policy/authorise';
import { StoreError } from '@ringfence/store';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ControlPlaneError, STATUS_OF } from '../control-plane-error.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { authenticate } from './authenticate.ts';
import { openApi } from './openapi.ts';
import type { Caller, Route } from './route.ts';

/** What the API needs. */
export interface ApiOptions {
  readonly routes: readonly Route[];
  readonly tls: { readonly cert: string; readonly key: string };
  readonly store: ControlPlaneStore;
  readonly authoriser: Authoriser;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly onRequest?: (route: string, status: number, milliseconds: number) => void;
}

const LARGEST_BODY = 64 * 1024;
const MOST_CONNECTIONS = 20_000;

/** The HTTPS server of the API; `listen` is the caller's. Throws PolicyError when a route's action is not declared. */
export function createApiServer(options: ApiOptions): FastifyInstance {
  const server = Fastify({
    https: { ...options.tls, minVersion: 'TLSv1.3' },
    bodyLimit: LARGEST_BODY,
    // Slow clients would otherwise hold a socket for minutes.
    connectionTimeout: 0,
    requestTimeout: 10_000,
    keepAliveTimeout: 60_000,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
  } as object) as unknown as FastifyInstance;
  server.server.maxConnections = MOST_CONNECTIONS;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  server.setErrorHandler((error, _, reply) => refuse(reply, error, options.log));
  server.setNotFoundHandler((_, reply) =>
    refuse(reply, new ControlPlaneError('not-found', 'there is nothing here'), options.log),
  );
  const description = openApi(options.routes, options.version);
  server.get('/v1/openapi.json', (_, reply) => reply.send(description));
  for (const route of options.routes) mount(server, route, options);
  return server;
}

function mount(server: FastifyInstance, route: Route, options: ApiOptions): void {
  if (route.action !== 'public') assertDeclared(route.action);
  server.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      const answer = await answerOf(route, request, options);
      options.onRequest?.(`${route.method} ${route.path}`, 200, reply.elapsedTime);
      return reply.send(answer);
    },
  });
}

async function answerOf(route: Route, request: FastifyRequest, options: ApiOptions): Promise<unknown> {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const parameters = stringsOf(request.params);
  if (route.action === 'public') return route.handle({ body: parseBody(route, bytes), parameters });
  const url = new URL(request.url, 'https://control-plane');
  const signed = {
    method: request.method,
    path: url.pathname,
    query: url.search === '' ? '?' : url.search,
    body: bytes,
  };
  const caller = await authenticate(options.store, options.clock, signed, request.headers);
  authorise(route, caller, { authoriser: options.authoriser, resource: parameters['job'] ?? caller.org });
  return route.handle({ body: parseBody(route, bytes), parameters }, caller);
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
  const parsed = route.body.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  throw new BadBody(
    parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), code: issue.code ?? 'invalid' })),
  );
}

/** Names every wrong field by path, and no value. */
class BadBody extends ControlPlaneError {
  readonly problems: readonly { path: string; code: string }[];

  constructor(problems: readonly { path: string; code: string }[]) {
    super('bad-request', 'the request is not of the declared form', { next: 'compare it with /v1/openapi.json' });
    this.problems = problems;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function refuse(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  if (error instanceof ControlPlaneError) {
    const problems = error instanceof BadBody ? { problems: error.problems } : {};
    return reply
      .status(STATUS_OF[error.code])
      .send({ error: { code: error.code, message: error.message, next: error.next, ...problems } });
  }
  if (error instanceof StoreError && error.code === 'unavailable')
    return reply
      .status(503)
      .send({ error: { code: 'unavailable', message: 'the database does not answer', next: 'try again' } });
  const status = z.object({ statusCode: z.int().min(400).max(499) }).safeParse(error);
  if (status.success)
    return reply
      .status(status.data.statusCode)
      .send({ error: { code: 'bad-request', message: 'the request cannot be read' } });
  log.error('api.failed', errorFields(error));
  return reply
    .status(500)
    .send({ error: { code: 'unexpected', message: 'something went wrong here', next: 'the server’s log says more' } });
}

function stringsOf(value: unknown): Record<string, string> {
  return z.record(z.string(), z.string()).catch({}).parse(value);
}
