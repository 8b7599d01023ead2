import type { ServerResponse } from 'node:http';
import { REFUSAL_HEADER, type GatewayRefusal, type ServiceSpec } from '@ringfence/protocol/payload';

/** An answer that the gateway makes itself. */
export interface OwnAnswer {
  readonly status: number;
  readonly reason: GatewayRefusal;
  readonly message: string;
  readonly retryAfterS?: number;
  /** The first field that is wrong, for OpenAI's form. */
  readonly param?: string | null;
}

const ANSWERS = {
  unauthorised: { status: 401, message: 'this endpoint takes calls with a valid token alone' },
  'not-released': { status: 403, message: 'the owner of the data behind this endpoint has not released its answers' },
  'limit-requests': { status: 429, message: 'the requests a minute of this token are used up' },
  'limit-concurrency': { status: 429, message: 'this token has as many requests under way as it may' },
  'limit-tokens': { status: 429, message: 'the tokens a minute of this token are used up' },
  'bad-request': { status: 400, message: 'the request is not of the form that this path takes' },
  'too-large': { status: 413, message: 'the body is longer than this endpoint takes' },
  'no-replica': { status: 503, message: 'no replica was ready in time' },
  'scaled-to-zero': { status: 503, message: 'this endpoint was scaled to 0 by its owner' },
  'replica-lost': { status: 502, message: 'the replica that had the request ended before it answered' },
  'replica-silent': { status: 504, message: 'the replica did not answer in time' },
  'stale-view': { status: 503, message: 'this gateway has not heard from its custodian for too long' },
} as const satisfies Record<GatewayRefusal, { status: number; message: string }>;

const OPENAI_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'invalid_request_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
};

/** The answer for `reason`. */
export function ownAnswer(reason: GatewayRefusal, detail: Pick<OwnAnswer, 'retryAfterS' | 'param'> = {}): OwnAnswer {
  return { ...ANSWERS[reason], reason, ...detail };
}

/** Sends it, in the form that callers of `api` expect; `param` names a field and never holds a value. */
export function sendOwnAnswer(response: ServerResponse, api: ServiceSpec['api'], answer: OwnAnswer): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const { status, reason, retryAfterS } = answer;
  const body = Buffer.from(JSON.stringify({ error: errorOf(api, answer) }));
  // A replica's own word never carries it: who calls can tell the two apart.
  const headers = ['content-type', 'application/json', 'content-length', String(body.length), REFUSAL_HEADER, reason];
  if (retryAfterS !== undefined) headers.push('retry-after', String(retryAfterS));
  if (reason === 'unauthorised') headers.push('www-authenticate', 'Bearer');
  response.writeHead(status, headers).end(body);
}

function errorOf(api: ServiceSpec['api'], { status, reason, message, param }: OwnAnswer): object {
  if (api === 'http') return { code: reason, message };
  const named = param === undefined || param === null ? message : `${message}: ${param}`;
  return { message: named, type: OPENAI_TYPES[status] ?? 'server_error', param: param ?? null, code: reason };
}
