import { clientNetwork, jsonOf, RefusalLog, type Log } from '@ringfence/base';
import type { ServerCertificate } from '@ringfence/client/server-certificate';
import { assertDeclared } from '@ringfence/policy/authorise';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { readSignatureInput, type SignedRequest } from '@ringfence/protocol/api';
import { servePage } from '../console/serve-page.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Answered } from '../metrics.ts';
import { readSessionCookie, sessionCookie } from '../sessions/session-token.ts';
import { WaitingLine } from '../waiting-line.ts';
import { admit, type AdmitParts } from './admit.ts';
import { gateConnections } from './connection-gate.ts';
import { tlsOptions } from './kept-certificate.ts';
import { openApi } from './openapi.ts';
import { BadBody, problemsOf, refusalOf } from './refusal.ts';
import type { Route, RouteCall } from './route.ts';
import { assertSameSite } from './same-site.ts';
import { STRICT_HEADERS } from './strict-headers.ts';

/** What the API needs. */
export interface ApiOptions extends AdmitParts {
  readonly routes: readonly Route[];
  readonly certificate: ServerCertificate;
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
/** What waits for identity providers and issuers of tokens: one that hangs keeps a place for 5 s. */
const ELSEWHERE = { atOnce: 64, longestWaitMs: 10_000, each: { atOnce: 4, mostWaiting: 64 } } as const;
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
  const gate = gateConnections(server.server, options.clock);
  server.addHook('onClose', async () => gate.close());
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
  const refusals = new RefusalLog(options.log, options.clock);
  server.addHook('onRequest', async (_, reply) => void reply.headers(STRICT_HEADERS));
  server.addHook('onResponse', async (request, reply) => {
    const route = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    const code = refused.get(reply.raw);
    if (code !== undefined)
      refusals.note({ code, route, status: reply.statusCode, remote: request.ip, ...signerOf(request) });
    options.onAnswer?.({ route, status: reply.statusCode, seconds: reply.elapsedTime / 1000, code });
  });
  const line = new WaitingLine(options.clock, CHANGES);
  const elsewhere = new WaitingLine(options.clock, ELSEWHERE);
  const description = openApi(options.routes, options.version);
  server.get('/v1/openapi.json', (_, reply) => reply.send(description));
  servePage(server);
  for (const route of options.routes) {
    if (route.action !== 'public' && route.action !== 'account') assertDeclared(route.action);
    server.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) =>
        reply.send(await answerOf(route, { request, reply }, { ...options, line, elsewhere })),
    });
  }
  return server;
}

/** Changes wait for their turn only when it is known whose they are. */
async function answerOf(
  route: Route,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  options: ApiOptions & { readonly line: WaitingLine; readonly elsewhere: WaitingLine },
): Promise<unknown> {
  const { line, elsewhere } = options;
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const parameters = stringsOf(request.params);
  const isRead = route.method === 'GET';
  if (!isRead || route.action !== 'public') assertSameSite(request.headers, { isRead });
  const call = (): RouteCall<unknown> => ({
    body: parseBody(route, bytes),
    parameters,
    address: request.ip,
    shown: readSessionCookie(request.headers.cookie),
    setSession: (token) => void reply.header('set-cookie', sessionCookie(token)),
  });
  if (route.action === 'public') {
    if (isRead) return route.handle(call());
    // Strangers take turns by their networks.
    const waits = route.asks === 'elsewhere' ? elsewhere : line;
    return waits.run(() => route.handle(call()), `public ${clientNetwork(request.ip)}`);
  }
  const asked = {
    request: signedPart(request, bytes),
    headers: request.headers,
    resource: parameters['job'],
  };
  const { asker, whenItsTurnComes } = await admit(options, route, asked);
  if (isRead)
    return route.costly === true ? line.run(() => route.handle(call(), asker), asker.org) : route.handle(call(), asker);
  return line.run(async () => {
    await whenItsTurnComes();
    return route.handle(call(), asker);
  }, asker.org);
}

/** Whom a signature names, right or not: an id, or nothing. */
function signerOf({ headers }: FastifyRequest): { readonly peer?: string } {
  const input = headers['signature-input'];
  const named = typeof input === 'string' ? readSignatureInput(input) : undefined;
  return named === undefined ? {} : { peer: named.signer };
}

function signedPart({ method, url: target }: FastifyRequest, body: Uint8Array): SignedRequest {
  const at = target.indexOf('?');
  if (at < 0) return { method, path: target, query: '?', body };
  return { method, path: target.slice(0, at), query: target.slice(at), body };
}

function parseBody(route: Route, bytes: Uint8Array): unknown {
  if (route.body === undefined) return undefined;
  const parsed = route.body.safeParse(jsonOf(bytes));
  if (parsed.success) return parsed.data;
  throw new BadBody(problemsOf(parsed.error.issues));
}

function stringsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry) => typeof entry[1] === 'string'));
}
