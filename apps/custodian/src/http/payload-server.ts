import { Readable } from 'node:stream';
import type { RequestListener, Server } from 'node:http';
import { errorFields, jsonOf, RefusalLog, type Clock, type Log } from '@ringfence/base';
import { linkHttpServer, peerOf } from '@ringfence/client/payload-link';
import { KeyringError } from '@ringfence/keyring';
import { ACTION_ASSURANCE } from '@ringfence/policy/assurance';
import { ACTIONS, assertDeclared, type AccessReason, type Action, type Authoriser } from '@ringfence/policy/authorise';
import { StoreError } from '@ringfence/store';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AccessBook } from '../access/access-book.ts';
import { assertSure, StepUpNeeded } from '../access/assert-sure.ts';
import { CustodianError, STATUS_OF } from '../custodian-error.ts';
import type { AgentCertificates } from '../certificates/agent-certificates.ts';
import type { Owner } from '../context.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Locks } from '../locks/kept-locks.ts';
import { passLocks } from '../locks/pass-locks.ts';
import { watchedAgent, watchedDevice } from '../locks/watched-parties.ts';
import { identify } from './identify.ts';
import type { Caller, Route, StreamAnswer } from './route.ts';

/** What the payload API needs. */
export interface PayloadServerOptions {
  readonly routes: readonly Route[];
  readonly owner: Owner;
  readonly authoriser: Authoriser;
  readonly access: AccessBook;
  readonly locks: Pick<Locks, 'heard' | 'checkCaller'>;
  readonly certificates: Pick<AgentCertificates, 'check'>;
  readonly clock: Clock;
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
  const refusals = new RefusalLog(options.log, options.clock);
  server.setErrorHandler((error, request, reply) => {
    const caller = identify(options.owner.claimed, peerOf(request.raw));
    const route = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    // Another link brings another certificate.
    if (error instanceof CustodianError && error.code === 'certificate-lapsed')
      void reply.header('connection', 'close');
    refuse(reply, error, options.log);
    const code = error instanceof CustodianError ? error.code : 'refused';
    const who = caller.kind === 'unknown' ? {} : { peer: caller.id };
    refusals.note({ status: reply.statusCode, code, route, ...who });
    return reply;
  });
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
    onRequest: async (request) => {
      if (route.who !== 'anybody') await options.locks.heard();
      permit(route, request, options);
    },
    handler: async (request, reply) => send(reply, await answer(route, request, options)),
  });
}

/** The caller, and the organisation where the route needs one. Throws CustodianError `not-authenticated`, `not-authorised`, `step-up`, `unclaimed`. */
function permit(
  route: Route,
  request: FastifyRequest,
  { owner, authoriser, access, certificates, clock, locks }: PayloadServerOptions,
): { caller: Caller; claimed: ClaimedOrganisation | undefined } {
  const { claimed } = owner;
  const caller = identify(claimed, peerOf(request.raw));
  if (route.who === 'anybody') return { caller, claimed };
  if (claimed === undefined)
    throw new CustodianError('unclaimed', 'this custodian has no organisation yet', {
      next: 'run `ringfence org init`',
    });
  if (caller.kind === 'unknown' || !route.who.includes(caller.kind)) throw notAuthenticated();
  if (caller.kind === 'agent' && route.uncertified !== true) certificates.check(claimed.org, caller, clock.now());
  const party =
    caller.kind === 'device' ? watchedDevice({ access }, claimed, caller.id) : watchedAgent(claimed, caller.id);
  const roles = passLocks(locks, party, clock.now());
  const resource = {
    type: ACTIONS[route.action].resource,
    id: resourceOf(route, request, claimed),
    org: claimed.org,
    project: claimed.project,
  };
  const principal =
    caller.kind === 'device'
      ? ({ type: 'Device', id: caller.id, org: claimed.org, roles } as const)
      : ({ type: 'Agent', id: caller.id, org: claimed.org } as const);
  const action: Action = route.action;
  const decision = authoriser.authorise({ principal, action, resource });
  if (!decision.allow) throw notAuthorised(caller.kind, action, decision.reasons);
  if (caller.kind === 'device' && route.assured !== 'by-handler')
    assertSure(access, caller.id, { requirement: ACTION_ASSURANCE[action], now: clock.now() });
  return { caller, claimed };
}

function notAuthorised(who: 'device' | 'agent', action: Action, reasons: readonly AccessReason[]): CustodianError {
  const forbidding = reasons.flatMap((reason) => (reason.code === 'forbidden' ? [reason.policy] : []));
  if (forbidding.length > 0)
    return new CustodianError(
      'not-authorised',
      `the organisation’s policy forbids ${action}: ${forbidding.join(', ')}`,
      {
        next: 'ask an officer; `ringfence policy show` says what is forbidden',
      },
    );
  return new CustodianError('not-authorised', `no role of this ${who} permits ${action}`, {
    next: 'ask an owner of the organisation for a role that does: see docs/roles.md',
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
  if (route.who !== 'anybody') await options.locks.heard();
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
    const needed = error instanceof StepUpNeeded ? error.needed : {};
    return reply
      .status(STATUS_OF[error.code])
      .send({ error: { code: error.code, message: error.message, next: error.next, ...problems, ...needed } });
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
