import { jsonOf } from '@ringfence/base';
import type { HttpsExchange } from '@ringfence/client/api';
import { kekError } from '../kek-provider.ts';

/** A request of a key service that speaks JSON. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** What it answered; `json` is undefined when that was no JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly json: unknown;
}

/**
 * Sends `body` as JSON and reads the answer as JSON. Throws ClientError when nothing was answered, and `kek-unavailable` for an answer that
 * says that the service is busy or fails (RFC 9110: 408, 429 and 5xx).
 */
export async function exchangeJson(exchange: HttpsExchange, request: JsonRequest): Promise<JsonAnswer> {
  const { method, target, headers = {}, body, signal } = request;
  const { status, body: answered } = await exchange.send({
    method,
    target,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body)),
    signal,
  });
  if (status === 408 || status === 429 || status >= 500) throw kekError('kek-unavailable');
  return { status, json: answered.length === 0 ? undefined : jsonOf(answered) };
}
