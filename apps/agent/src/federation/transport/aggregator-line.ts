import { Readable } from 'node:stream';
import { concatBytes, sleep, type Clock, type Log } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import {
  requestPayload,
  streamPayload,
  type PayloadAgent,
  type PayloadRequest,
  type StreamedResponse,
} from '@ringfence/client/payload-link';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { z } from 'zod';
import { AgentError } from '../../agent-error.ts';
import { untilAnswered } from '../../attempt/with-custodian.ts';
import { LARGEST_MESSAGE, NUMBER_HEADER } from './federation-desk.ts';

/** What a line to an aggregator needs. */
export interface AggregatorLineOptions {
  /** Dials the aggregator by the routes and the key that the contract names. */
  readonly agent: PayloadAgent;
  readonly contract: Digest;
  readonly clock: Clock;
  readonly log: Log;
  /** For so many milliseconds in a row the aggregator may be away. */
  readonly patience: number;
}

/** Polls that bring nothing are so far apart at least. */
const LEAST_POLL_MS = 1_000;

const opened = z.strictObject({ session: z.string().regex(/^[0-9a-f]{32}$/) });

/**
 * A client's side of a session at the aggregator: each message arrives once and in order, and links that break are dialled anew. Its calls
 * throw AgentError `session-over` when the aggregator began anew or somebody else speaks for this agent, and ClientError when it is away for
 * longer than the line is patient.
 */
export class AggregatorLine {
  readonly #options: AggregatorLineOptions;
  readonly #session: string;
  #sent = 0;
  #received = 0;
  #sending: Promise<void> = Promise.resolve();

  private constructor(options: AggregatorLineOptions, session: string) {
    this.#options = options;
    this.#session = session;
  }

  /** Begins a session; waits for an aggregator that does not run yet. */
  static async begin(options: AggregatorLineOptions, signal: AbortSignal): Promise<AggregatorLine> {
    const { agent, contract } = options;
    const path = `/v1/federations/${contract}/sessions`;
    const session = await untilReached(options, signal, async () => {
      const { status, body } = await requestPayload(agent, { method: 'POST', path, signal });
      // Not here yet: its job starts when it starts.
      if (status === 404) throw new ClientError('peer-offline', 'the aggregator of this contract does not run');
      if (status !== 200) throw statusError(status);
      return opened.parse(body).session;
    });
    return new AggregatorLine(options, session);
  }

  /** Sends a message; resolves when the aggregator has taken it. */
  send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const sent = this.#sending.then(() => this.#post(bytes, signal));
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /** The next message, whenever it comes. */
  async next(signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      const path = `inbox?after=${this.#received}`;
      const askedAt = this.#options.clock.monotonic();
      const got = await untilReached(this.#options, signal, () =>
        this.#once({ method: 'GET', path, signal }, async ({ status, headers, body }) => ({
          status,
          number: Number(headers[NUMBER_HEADER]),
          bytes: await readAtMost(body, LARGEST_MESSAGE),
        })),
      );
      if (got.status === 204) {
        // Nothing after no wait is what this release never answers: whoever does is not asked without a pause.
        const { clock } = this.#options;
        await sleep(clock, Math.max(0, LEAST_POLL_MS - (clock.monotonic() - askedAt)), signal);
        continue;
      }
      if (got.number !== this.#received + 1)
        throw new ClientError('bad-response', 'the aggregator sent messages out of order');
      this.#received = got.number;
      return got.bytes;
    }
  }

  /** The model with that digest, of `length` bytes; what arrived before a link broke does not travel again. Throws ClientError `bad-response` for other bytes. */
  async model(digest: Digest, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let at = 0;
    await untilReached(this.#options, signal, () =>
      this.#once({ method: 'GET', path: `models/${digest}?from=${at}`, signal }, async ({ body }) => {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          if (at + chunk.length > length) throw tooLarge(length);
          bytes.set(chunk, at);
          at += chunk.length;
        }
        if (at < length) throw new ClientError('link-broken', 'a part of the model is missing');
      }),
    );
    if (sha256Hex(bytes) !== digest)
      throw new ClientError('bad-response', 'the aggregator sent another model than it named');
    return bytes;
  }

  async #post(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const number = this.#sent + 1;
    const path = `messages/${number}`;
    await untilReached(this.#options, signal, () => {
      const body = { stream: Readable.from([Buffer.from(bytes)]), length: bytes.length };
      return this.#once({ method: 'POST', path, body, signal }, ignoreBody);
    });
    this.#sent = number;
  }

  async #once<T>(request: PayloadRequest, read: (response: StreamedResponse) => Promise<T>): Promise<T> {
    const path = `/v1/federations/${this.#options.contract}/${this.#session}/${request.path}`;
    const response = await streamPayload(this.#options.agent, { ...request, path });
    try {
      if (response.status === 410 || response.status === 404)
        throw new AgentError('session-over', 'the aggregator of the contract has begun anew', {
          next: 'the next round goes on with a new session',
        });
      if (response.status !== 200 && response.status !== 204) throw statusError(response.status);
      return await read(response);
    } catch (error) {
      response.body.destroy();
      if (error instanceof AgentError || error instanceof ClientError) throw error;
      throw new ClientError('link-broken', 'the link broke during a request', { cause: error });
    }
  }
}

function untilReached<T>(
  { clock, log, patience }: AggregatorLineOptions,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  return untilAnswered({ clock, log }, { within: patience, signal }, ask);
}

function ignoreBody({ body }: StreamedResponse): Promise<void> {
  body.resume();
  return Promise.resolve();
}

async function readAtMost(body: Readable, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

function statusError(status: number): ClientError {
  // A status of 500 or above is no answer to what was asked.
  return status >= 500
    ? new ClientError('link-broken', `the aggregator answered with status ${status}`)
    : new ClientError('bad-response', `the aggregator answered with status ${status}`);
}

function tooLarge(most: number): ClientError {
  return new ClientError('too-large', `the aggregator sent more than ${most} bytes`);
}
