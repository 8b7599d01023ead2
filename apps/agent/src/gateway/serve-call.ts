import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import type { Forwarded, Onlooker, Outgoing } from '../serving/forward.ts';
import { toReplica } from '../serving/forwarded-headers.ts';
import { bodyOf } from '../serving/request-body.ts';
import type { KnownToken } from './bearer.ts';
import type { BodyRoom } from './body-room.ts';
import { checkShape, isShaped, modelList, modelOf } from './openai-shape.ts';
import { chargeOfLeft } from './openai-charge.ts';
import { UsageMeter, type TokenCount } from './openai-usage.ts';
import { ownAnswer, sendOwnAnswer, type OwnAnswer } from './refusal.ts';
import { HELD_MS, type ServedEndpoint } from './served-endpoint.ts';
import type { Target } from './target.ts';

/** One request to an endpoint, whose caller is known. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoint: ServedEndpoint;
  /** Path and query as the replica gets them. */
  readonly path: string;
  /** Undefined for a member of the organisation, who comes over a payload link and whom no token limits. */
  readonly token: KnownToken | undefined;
  /** Of the whole gateway, for bodies that are looked at. */
  readonly room: BodyRoom;
  readonly clock: Clock;
}

const LARGEST_CHECKED_BODY = 4_194_304;
const NO_TOKENS: TokenCount = { in: 0, out: 0 };

/** Serves a call within its token's limits; never throws. */
export async function serveCall(call: Call): Promise<void> {
  const { endpoint, token, clock, request } = call;
  const began = clock.monotonic();
  endpoint.arrived();
  const use = token === undefined ? undefined : endpoint.useOf(token);
  const within = token === undefined ? undefined : use?.begin(token.limits, began);
  if (within?.allow === false) {
    request.resume();
    return answer(call, began, ownAnswer(within.reasons[0], within));
  }
  let tokens = NO_TOKENS;
  try {
    tokens = await serve(call, began);
  } catch {
    // The caller left while its request was read.
    call.response.destroy();
  } finally {
    use?.end(tokens.in + tokens.out, clock.monotonic());
  }
}

async function serve(call: Call, began: number): Promise<TokenCount> {
  const { request, endpoint, path } = call;
  const { name, service } = endpoint.listed;
  const plainPath = path.split('?', 1)[0] ?? path;
  const shaped = service.api === 'openai' && request.method === 'POST' && isShaped(plainPath);
  if (service.api === 'openai' && request.method === 'GET' && answerModels(call, plainPath, name)) {
    endpoint.counters.answered(200, call.clock.monotonic() - began);
    return NO_TOKENS;
  }
  if (shaped) return serveShaped(call, began, plainPath);
  const body = await bodyOf(request, undefined);
  return body === 'too-large' ? refuse(call, began, ownAnswer('too-large')) : send(call, began, body);
}

/** Reads the body and looks at it before anything is sent. */
async function serveShaped(call: Call, began: number, path: string): Promise<TokenCount> {
  const { request, room } = call;
  const declared = Number(request.headers['content-length'] ?? LARGEST_CHECKED_BODY);
  let taken = Math.min(declared, LARGEST_CHECKED_BODY);
  if (!room.take(taken)) {
    request.resume();
    return refuse(call, began, ownAnswer('no-replica', { retryAfterS: 5 }));
  }
  try {
    const body = await bodyOf(request, LARGEST_CHECKED_BODY);
    if (body === 'too-large') return refuse(call, began, ownAnswer('too-large'));
    const whole = body instanceof Uint8Array ? body : new Uint8Array();
    // A body that did not say its length was counted as the longest while it came.
    room.give(taken - whole.length);
    taken = whole.length;
    const decision = checkShape(path, whole);
    if (!decision.allow) return refuse(call, began, ownAnswer('bad-request', { param: decision.param }));
    return await send(call, began, body);
  } finally {
    room.give(taken);
  }
}

function answerModels({ response }: Call, path: string, name: string): boolean {
  const model =
    path === '/v1/models' ? modelList(name, 0) : path === `/v1/models/${name}` ? modelOf(name, 0) : undefined;
  if (model === undefined) return false;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(model));
  return true;
}

async function send(call: Call, began: number, body: Readable | Uint8Array | null): Promise<TokenCount> {
  const { request, response, endpoint, path, clock } = call;
  const { api, port } = endpoint.listed.service;
  const method = request.method ?? 'GET';
  const headers = toReplica(request.rawHeaders, `127.0.0.1:${port}`);
  const outgoing: Outgoing = { method, path, headers: api === 'openai' ? unencoded(headers) : headers, body };
  const onlooker = new CallWatch(call, began);
  let sent = 0;
  for (;;) {
    const target = endpoint.take() ?? (await held(call, began));
    if (target === undefined) return refuse(call, began, withoutReplica(endpoint));
    const forwarded = await sendTo(target, { endpoint, clock, outgoing, response, onlooker });
    if (forwarded === 'not-taken' && isWhole(body)) continue;
    if (forwarded === 'lost' || forwarded === 'silent') sent += 1;
    const repeatable = body === null && (method === 'GET' || method === 'HEAD');
    if (forwarded === 'lost' && repeatable && sent < 2) continue;
    if (forwarded === 'not-taken') return refuse(call, began, ownAnswer('no-replica', { retryAfterS: 1 }));
    if (forwarded === 'lost') return refuse(call, began, ownAnswer('replica-lost'));
    if (forwarded === 'silent') return refuse(call, began, ownAnswer('replica-silent'));
    const tokens = onlooker.tokens();
    endpoint.counters.spent(tokens);
    // Whoever leaves before the end, where the cost stands, does not compute for nothing.
    return forwarded === 'left' && body instanceof Uint8Array ? chargeOfLeft(body, tokens) : tokens;
  }
}

/** Nobody who scaled an endpoint to 0 wants callers to come again soon. */
function withoutReplica({ listed }: ServedEndpoint): OwnAnswer {
  return listed.resting === true ? ownAnswer('scaled-to-zero') : ownAnswer('no-replica', { retryAfterS: 5 });
}

async function sendTo(
  target: Target,
  parts: { endpoint: ServedEndpoint; clock: Clock; outgoing: Outgoing; response: ServerResponse; onlooker: Onlooker },
): Promise<Forwarded> {
  const { endpoint, clock, outgoing, response, onlooker } = parts;
  try {
    return await target.send(() => clock.monotonic(), { outgoing, response, onlooker });
  } finally {
    endpoint.release(target);
  }
}

function held({ request, endpoint, response, token }: Call, began: number): Promise<Target | undefined> {
  if (response.destroyed) return Promise.resolve(undefined);
  const caller = token?.digest ?? peerOf(request).key;
  return endpoint.hold({ until: began + HELD_MS, caller }, (leave) => response.once('close', leave));
}

/** Looks on while an answer passes: when it began, and what it cost. */
class CallWatch implements Onlooker {
  readonly #call: Call;
  readonly #began: number;
  readonly passed: ((chunk: Buffer) => void) | undefined;
  #usage: UsageMeter | undefined;

  constructor(call: Call, began: number) {
    this.#call = call;
    this.#began = began;
    this.passed = call.endpoint.listed.service.api === 'openai' ? (chunk) => this.#usage?.take(chunk) : undefined;
  }

  began(status: number, contentType: string): void {
    this.#call.endpoint.counters.answered(status, this.#call.clock.monotonic() - this.#began);
    if (this.passed !== undefined && status === 200) this.#usage = new UsageMeter(contentType);
  }

  tokens(): TokenCount {
    return this.#usage?.count() ?? NO_TOKENS;
  }
}

/** A body that was not begun, or that is at hand whole, can go to another replica. */
function isWhole(body: Readable | Uint8Array | null): boolean {
  return body === null || body instanceof Uint8Array || !body.readableDidRead;
}

/** What is counted has to be read. */
function unencoded(headers: readonly string[]): string[] {
  return headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== 'accept-encoding');
}

function refuse(call: Call, began: number, own: OwnAnswer): TokenCount {
  answer(call, began, own);
  return NO_TOKENS;
}

function answer({ endpoint, response, clock }: Call, began: number, own: OwnAnswer): void {
  endpoint.counters.refused(own.reason);
  if (response.destroyed) return;
  endpoint.counters.answered(own.status, clock.monotonic() - began);
  sendOwnAnswer(response, endpoint.listed.service.api, own);
}
