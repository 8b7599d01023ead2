import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { fromUtf8 } from '@ringfence/base';
import { ClientError } from '../error.ts';
import type { PayloadAgent } from './agent.ts';
import { watchIdle } from './idle-watch.ts';

/** What goes with a request: a JSON value, or a stream of bytes with its length where that is known. */
export type RequestBody = { readonly json: unknown } | { readonly stream: Readable; readonly length?: number };

/** A request over a payload link. */
export interface PayloadRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Milliseconds without a byte in either direction after which it fails (60 s); `unlimited` for followed logs. */
  readonly idleWithin?: number | 'unlimited';
  readonly signal?: AbortSignal | undefined;
}

/** A response whose body is still to be read; destroy it when it is not wanted. */
export interface StreamedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** A response with its JSON value, `undefined` when the body is empty. */
export interface JsonResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

const IDLE_WITHIN = 60_000;
const JSON_AT_MOST = 1_048_576;

/**
 * Sends `request` and reads a JSON answer of at most `maxBytes` (1 MiB). Any status is an answer; the caller judges it.
 * Throws ClientError: codes of `dialPayload`, `link-refused`, `link-broken`, `timed-out`, `aborted`, `too-large`,
 * `bad-response`.
 */
export async function requestPayload(
  agent: PayloadAgent,
  request: PayloadRequest & { readonly maxBytes?: number },
): Promise<JsonResponse> {
  const { status, headers, body } = await streamPayload(agent, request);
  return { status, headers, body: parseJson(await readAll(body, request.maxBytes ?? JSON_AT_MOST)) };
}

/**
 * Sends `request` and hands over the answer as a stream, which fails when the link breaks. Throws like
 * {@link requestPayload}.
 */
export async function streamPayload(agent: PayloadAgent, request: PayloadRequest): Promise<StreamedResponse> {
  const release = await agent.slots.take(request.signal);
  try {
    const response = await exchange(agent, request);
    response.once('close', release);
    return { status: response.statusCode ?? 0, headers: response.headers, body: response };
  } catch (error) {
    release();
    throw error;
  }
}

/** A kept link may have closed just as it was used; a request that changes nothing is then sent once more (RFC 9110 §9.2.2). */
async function exchange(agent: PayloadAgent, request: PayloadRequest): Promise<IncomingMessage> {
  const repeatable = (request.method === 'GET' || request.method === 'HEAD') && request.body === undefined;
  const first = await attempt(agent, request, repeatable);
  return first ?? (await attempt(agent, request, false)) ?? Promise.reject(linkBroken());
}

/** One attempt; undefined when it failed on a kept link and may be repeated. */
function attempt(
  agent: PayloadAgent,
  request: PayloadRequest,
  repeatable: boolean,
): Promise<IncomingMessage | undefined> {
  const outgoing = httpRequest({
    agent,
    host: 'payload',
    method: request.method,
    path: request.path,
    // What the caller says of its body counts.
    headers: { ...bodyHeaders(request.body), ...request.headers },
  });
  return new Promise((resolve, reject) => {
    // A request that still waits for its link reports its end only when it has one.
    const end = (error: ClientError): void => {
      reject(error);
      outgoing.destroy(error);
    };
    watchProgress(agent, outgoing, { ...request, end });
    outgoing.once('response', resolve);
    outgoing.on('error', (error) => {
      if (repeatable && outgoing.reusedSocket && isLost(error)) resolve(undefined);
      else reject(requestError(error, outgoing));
    });
    sendBody(outgoing, request.body, reject);
  });
}

/** Ends a request that stands still or that its caller does not want any more. */
function watchProgress(
  agent: PayloadAgent,
  outgoing: ClientRequest,
  request: Pick<PayloadRequest, 'idleWithin' | 'signal'> & { end: (error: ClientError) => void },
): void {
  const { idleWithin = IDLE_WITHIN, signal, end } = request;
  const abort = (): void => end(new ClientError('aborted', 'the caller ended the request'));
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  outgoing.once('close', () => signal?.removeEventListener('abort', abort));
  if (idleWithin === 'unlimited') return;
  const watch = watchIdle(agent.dial.clock, idleWithin, () =>
    end(
      new ClientError('timed-out', `no byte moved for ${idleWithin} ms`, {
        next: 'check the other side, then try again',
      }),
    ),
  );
  outgoing.once('socket', (socket) => watch.on(socket));
  outgoing.once('close', () => watch.stop());
}

function bodyHeaders(body: RequestBody | undefined): Record<string, string> {
  if (body === undefined) return {};
  if ('json' in body) return { 'content-type': 'application/json' };
  const length = body.length === undefined ? {} : { 'content-length': String(body.length) };
  return { 'content-type': 'application/octet-stream', ...length };
}

function sendBody(outgoing: ClientRequest, body: RequestBody | undefined, failed: (error: Error) => void): void {
  if (body === undefined) return void outgoing.end();
  if ('json' in body) return void outgoing.end(JSON.stringify(body.json));
  const { stream } = body;
  pipeline(stream, outgoing, () => {
    // The link's own failure arrives as the request's error.
    if (stream.errored !== null && !outgoing.errored) failed(stream.errored);
  });
}

function isLost(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function requestError(error: Error, outgoing: ClientRequest): Error {
  if (error instanceof ClientError) return error;
  if (isLost(error) && !outgoing.reusedSocket)
    return new ClientError('link-refused', 'the other side closed the link before it answered', {
      cause: error,
      next: "check that the other side's keyring has this identity and is up to date",
    });
  return linkBroken(error);
}

function linkBroken(cause?: unknown): ClientError {
  return new ClientError('link-broken', 'the link broke during a request', { cause, next: 'try again' });
}

async function readAll(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new ClientError('too-large', `the answer is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof ClientError ? error : linkBroken(error);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch {
    // The parser's message quotes the text.
    throw new ClientError('bad-response', 'the answer is not JSON', { next: 'check the versions of both sides' });
  }
}
