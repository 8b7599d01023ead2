import { Readable } from 'node:stream';
import type { RequestListener, Server } from 'node:http';
import { errorFields, jsonOf, type Log } from '@ringfence/base';
import { linkHttpServer, peerOf } from '@ringfence/client/payload-link';
import { KeyringError } from '@ringfence/keyring';
import { ACTIONS, assertDeclared, type Action, type Authoriser } from '@ringfence/policy/authorise';
import { StoreError } from '@ringfence/store';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CustodianError, STATUS_OF } from '../custodian-error.ts';
import type { Owner } from '../context.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { identify } from './identify.ts';
import type { Caller, Route, StreamAnswer } from './route.ts';

/** What the payload API needs. */
export interface PayloadServerOptions {
  readonly routes: readonly Route[];
  readonly owner: Owner;
  readonly authoriser: Authoriser;
  readonly log: Log;
  readonly onRequest: (route: string, status: number, milliseconds: number) => void;
}

const LONGEST_BODY = 1_048_576;

/** The HTTP server of the payload API, to be fed by payload links. Throws PolicyError when a route's action is not declared. */
export async function createPayloadServer(options: PayloadServerOptions): Promise<Server> {
  const server = Fastify({
    serverFactory: (handler: RequestListener) => linkHttpServer(handler),
    bodyLimit: LONGEST_BODY,
  } as object) as unknown as FastifyInstance;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  server.addContentTypeParser('application/octet-stream', (_, stream, done) => done(null, stream));
  server.setErrorHandler((error, _, reply) => refuse(reply, error, options.log));
  server.setNotFoundHandler((_, reply) =>
    refuse(reply, new CustodianError('not-found', 'there is nothing here'), options.log),
  );
  server.addHook('onResponse', async (request, reply) =>
    options.onRequest(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime),
  );
  for (const route of options.routes) mount(server, route, options);
  await server.ready();
  return server.server;
}

function mount(server: FastifyInstance, route: Route, options: PayloadServerOptions): void {
  if (route.who !== 'anybody') assertDeclared(route.action);
  server.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.longest ?? LONGEST_BODY,
    // Before the body is read: whoever may not ask sends nothing.
    onRequest: async (request) => void permit(route, request, options),
    handler: async (request, reply) => send(reply, await answer(route, request, options)),
  });
}

/** The caller, and the organisation where the route needs one. Throws CustodianError `not-authenticated`, `not-authorised`, `unclaimed`. */
function permit(
  route: Route,
  request: FastifyRequest,
  { owner, authoriser }: PayloadServerOptions,
): { caller: Caller; claimed: ClaimedOrganisation | undefined } {
  const { claimed } = owner;
  const caller = identify(claimed, peerOf(request.raw));
  if (route.who === 'anybody') return { caller, claimed };
  if (claimed === undefined)
    throw new CustodianError('unclaimed', 'this custodian has no organisation yet', {
      next: 'run `ringfence org init`',
    });
  if (caller.kind === 'unknown' || !route.who.includes(caller.kind)) throw notAuthenticated();
  const resource = {
    type: ACTIONS[route.action].resource,
    id: resourceOf(route, request, claimed),
    org: claimed.org,
    project: claimed.project,
  };
  const principal =
    caller.kind === 'device'
      ? ({ type: 'Device', id: caller.id, org: claimed.org, roles: claimed.keyring.rolesOf(caller.id) } as const)
      : ({ type: 'Agent', id: caller.id, org: claimed.org } as const);
  const action: Action = route.action;
  if (authoriser.authorise({ principal, action, resource }).allow) return { caller, claimed };
  throw new CustodianError('not-authorised', 'the policy does not allow this', {
    next: 'ask an owner of the organisation',
  });
}

function resourceOf(
  route: Exclude<Route, { who: 'anybody' }>,
  request: FastifyRequest,
  { org, project }: ClaimedOrganisation,
): string {
  if (route.resource !== undefined) return stringsOf(request.params)[route.resource] ?? '';
  return ACTIONS[route.action].resource === 'Project' ? project : org;
}

async function answer(route: Route, request: FastifyRequest, options: PayloadServerOptions): Promise<unknown> {
  // Asked again: membership may have changed while the body arrived.
  const { caller, claimed } = permit(route, request, options);
  const call = { body: bodyOf(route, request), parameters: stringsOf(request.params), query: stringsOf(request.query) };
  if (route.who === 'anybody') return route.handle(call, caller);
  if (claimed === undefined || caller.kind === 'unknown') throw notAuthenticated();
  return route.handle(call, caller, claimed);
}

function bodyOf(route: Route, request: FastifyRequest): unknown {
  if (route.body === undefined) return undefined;
  if (route.body === 'stream') {
    if (request.body instanceof Readable) return request.body;
    throw new CustodianError('bad-request', 'a stream of bytes is expected here');
  }
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const parsed = route.body.safeParse(jsonOf(bytes));
  if (parsed.success) return parsed.data;
  throw new BadBody(
    parsed.error.issues
      .slice(0, 32)
      .map(({ path, code }) => ({ path: path.map(String).join('.'), code: code ?? 'invalid' })),
  );
}

/** Names every wrong field by path, and no value. */
class BadBody extends CustodianError {
  readonly problems: readonly { path: string; code: string }[];

  constructor(problems: readonly { path: string; code: string }[]) {
    super('bad-request', 'the request is not of the declared form', { next: 'compare the versions of both sides' });
    this.problems = problems;
  }
}

function send(reply: FastifyReply, value: unknown): FastifyReply {
  if (!isStream(value)) return reply.send(value);
  if (value.length !== undefined) void reply.header('content-length', String(value.length));
  return reply.type('application/octet-stream').send(value.stream);
}

function isStream(value: unknown): value is StreamAnswer {
  return typeof value === 'object' && value !== null && 'stream' in value && value.stream instanceof Readable;
}

/** Of the database: the same request may well succeed a little later. */
const PASSING: readonly StoreError['code'][] = ['unavailable', 'timeout', 'conflict'];

function refuse(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  if (error instanceof CustodianError) {
    const problems = error instanceof BadBody ? { problems: error.problems } : {};
    return reply
      .status(STATUS_OF[error.code])
      .send({ error: { code: error.code, message: error.message, next: error.next, ...problems } });
  }
  if (error instanceof KeyringError)
    return reply.status(422).send({ error: { code: 'bad-statement', message: error.message, next: error.next } });
  if (error instanceof StoreError && PASSING.includes(error.code))
    return reply
      .status(503)
      .send({ error: { code: 'unavailable', message: 'the database is busy or starts again', next: 'try again' } });
  const status = z.object({ statusCode: z.int().min(400).max(499) }).safeParse(error);
  if (status.success)
    return reply
      .status(status.data.statusCode)
      .send({ error: { code: 'bad-request', message: 'the request cannot be read' } });
  log.error('api.failed', errorFields(error));
  return reply.status(500).send({
    error: { code: 'unexpected', message: 'something went wrong here', next: 'the custodian’s log says more' },
  });
}

function notAuthenticated(): CustodianError {
  return new CustodianError('not-authenticated', 'only a member of the organisation may ask this', {
    next: 'use the profile or the agent that the organisation’s keyring names',
  });
}

function stringsOf(value: unknown): Record<string, string> {
  return z.record(z.string(), z.string()).catch({}).parse(value);
}
