import { Agent, request as httpsRequest } from 'node:https';
import type { Clock } from '@ringfence/base';
import { connectionError } from '../connection-error.ts';
import { ClientError } from '../error.ts';
import { outerTls, proxyAgent, type OuterTrust } from '../outer-tls/index.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** How to reach a control plane's HTTPS. */
export interface ServerAccess extends OuterTrust {
  readonly url: string;
  readonly proxy?: string | undefined;
  readonly clock: Clock;
}

/** A request whose headers are complete. */
export interface HttpsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Ends the exchange with its reason. */
  readonly signal?: AbortSignal;
}

/** An answer, read to its end. */
export interface HttpsAnswer {
  readonly status: number;
  /** The server's clock, as its Date header says it. */
  readonly date: string | undefined;
  /** Seconds after which it is worth asking again, as its Retry-After header says it. */
  readonly retryAfterS: number | undefined;
  readonly body: Buffer;
}

const ANSWER_WITHIN = 30_000;
const LARGEST_ANSWER = 16 * 1024 * 1024;

/** Sends requests over kept connections; each value is bound to one server. */
export class HttpsExchange {
  readonly #access: ServerAccess;
  #agent: Promise<Agent> | undefined;

  constructor(access: ServerAccess) {
    this.#access = access;
  }

  /** One request and its whole answer. Throws ClientError `unreachable`, `untrusted-server`, `proxy-refused`, `timed-out`, `too-large`, or the signal's reason. */
  async send(request: HttpsRequest): Promise<HttpsAnswer> {
    this.#agent ??= httpsAgent(this.#access);
    const agent = await this.#agent.catch((error: unknown) => {
      this.#agent = undefined;
      throw error;
    });
    request.signal?.throwIfAborted();
    return exchange(new URL(request.target, this.#access.url), request, agent);
  }

  /** Closes idle connections; a process that only waits for them may end. */
  async close(): Promise<void> {
    (await this.#agent?.catch(() => undefined))?.destroy();
  }
}

/** An agent that keeps connections to one server, for libraries that bring their own requests. Throws what {@link outerTls} throws. */
export async function httpsAgent(access: ServerAccess): Promise<Agent> {
  const tls = await outerTls(access);
  if (access.proxy === undefined) return new Agent({ keepAlive: true, ...tls });
  const agent = proxyAgent(access.proxy);
  Object.assign(agent.options, tls);
  return agent as unknown as Agent;
}

function exchange(url: URL, request: HttpsRequest, agent: Agent): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url, {
      agent,
      method: request.method,
      headers: { ...request.headers, 'content-length': String(request.body.length) },
      timeout: ANSWER_WITHIN,
    });
    outgoing.once('timeout', () =>
      outgoing.destroy(new ClientError('timed-out', `no answer within ${ANSWER_WITHIN} ms`)),
    );
    outgoing.once('error', (error) => reject(error instanceof ClientError ? error : connectionError(error)));
    const { signal } = request;
    const abort = (): void => void outgoing.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    outgoing.once('close', () => signal?.removeEventListener('abort', abort));
    outgoing.once('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > LARGEST_ANSWER) outgoing.destroy(new ClientError('too-large', 'the answer is longer than 16 MiB'));
        else parts.push(part);
      });
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          date: response.headers.date,
          retryAfterS: retryAfterSeconds(response.headers),
          body: Buffer.concat(parts),
        }),
      );
      response.once('error', reject);
    });
    outgoing.end(request.body);
  });
}
