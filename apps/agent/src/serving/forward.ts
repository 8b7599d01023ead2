import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { REFUSAL_HEADER } from '@ringfence/protocol/payload';
import type { Client, Dispatcher } from 'undici';
import { toCaller } from './forwarded-headers.ts';
import type { ReplicaConnections } from './replica-connections.ts';

/** A request as it goes to a replica. */
export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `name, value, …`, filtered. */
  readonly headers: string[];
  readonly body: Readable | Uint8Array | null;
}

/** Who looks on while an answer passes. */
export interface Onlooker {
  /** The answer begins. */
  readonly began?: (status: number, contentType: string) => void;
  readonly passed?: ((chunk: Buffer) => void) | undefined;
}

/** Why an agent did not take a request for a replica of its. */
export type TakeRefusal = 'not-here' | 'draining' | 'not-a-gateway' | 'no-connection' | 'lost' | 'silent';

/**
 * What became of a request.
 * `not-taken`: no byte of it was sent, it may go elsewhere whatever its method. `lost`, `silent`: sent, but no byte of an answer came.
 * `cut`: the answer ended before its end, and so did the caller's connection. `left`: the caller went away.
 */
export type Forwarded = 'answered' | 'not-taken' | 'lost' | 'silent' | 'cut' | 'left';

const NOT_TAKEN: ReadonlySet<string> = new Set<TakeRefusal>(['not-here', 'draining', 'not-a-gateway', 'no-connection']);

/** Sends `outgoing` on a kept connection, or a new one, and passes the answer on to `response` as it comes. Never throws. */
export function forward(
  connections: ReplicaConnections,
  outgoing: Outgoing,
  response: ServerResponse,
  onlooker: Onlooker = {},
): Promise<Forwarded> {
  return new Promise((resolve) => {
    const free = connections.takeFree();
    if (free !== undefined)
      return new Exchange({ connections, client: free, response, onlooker, resolve }).send(outgoing);
    connections.open().then(
      (client) => new Exchange({ connections, client, response, onlooker, resolve }).send(outgoing),
      () => resolve(response.destroyed ? 'left' : 'not-taken'),
    );
  });
}

interface ExchangeParts {
  readonly connections: ReplicaConnections;
  readonly client: Client;
  readonly response: ServerResponse;
  readonly onlooker: Onlooker;
  readonly resolve: (forwarded: Forwarded) => void;
}

/** One request on one connection, as undici tells of it. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #parts: ExchangeParts;
  #controller: Dispatcher.DispatchController | undefined;
  #answering = false;
  #bodyBegan = false;
  #refusal: string | undefined;
  #over = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  send({ method, path, headers, body }: Outgoing): void {
    const { response, client } = this.#parts;
    if (response.destroyed) return this.#end('left');
    response.on('close', this.#left);
    client.dispatch({ method: method as Dispatcher.HttpMethod, path, headers, body }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('left'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    const { response, onlooker, connections } = this.#parts;
    const raw = (controller.rawHeaders ?? []) as readonly (Buffer | string)[];
    this.#refusal = connections.isAgent ? valueOf(raw, REFUSAL_HEADER) : undefined;
    if (this.#refusal !== undefined) return;
    this.#answering = true;
    onlooker.began?.(status, onlooker.passed === undefined ? '' : (valueOf(raw, 'content-type') ?? ''));
    response.writeHead(status, toCaller(raw));
    // With the first bytes of the body where those came along, at once where they did not.
    process.nextTick(flush, this);
  }

  /** Sends the head of an answer whose body lets itself be waited for. */
  flush(): void {
    const { response } = this.#parts;
    if (!this.#bodyBegan && !response.destroyed && !response.writableEnded) response.flushHeaders();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#refusal !== undefined) return;
    const { response, onlooker } = this.#parts;
    this.#bodyBegan = true;
    onlooker.passed?.(chunk);
    if (response.write(chunk)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#over) return;
    if (this.#refusal !== undefined) return this.#end(meaningOf(this.#refusal), true);
    this.#parts.response.end();
    this.#end('answered', true);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    if (this.#answering) {
      this.#parts.response.off('close', this.#left);
      this.#parts.response.destroy();
      return this.#end('cut');
    }
    if (this.#controller === undefined) return this.#end('not-taken');
    const code = 'code' in error ? error.code : '';
    this.#end(code === 'UND_ERR_HEADERS_TIMEOUT' ? 'silent' : 'lost');
  }

  readonly #left = (): void => {
    if (this.#over) return;
    this.#end('left');
    this.#controller?.abort(new Error('left'));
  };

  #end(forwarded: Forwarded, reusable = false): void {
    if (this.#over) return;
    this.#over = true;
    const { connections, client, response, resolve } = this.#parts;
    response.off('close', this.#left);
    if (reusable) connections.release(client);
    else connections.discard(client);
    resolve(forwarded);
  }
}

function meaningOf(refusal: string): Forwarded {
  if (NOT_TAKEN.has(refusal)) return 'not-taken';
  return refusal === 'silent' ? 'silent' : 'lost';
}

function flush(exchange: Exchange): void {
  exchange.flush();
}

function valueOf(raw: readonly (Buffer | string)[], name: string): string | undefined {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const found = raw[index];
    if (found?.length === name.length && found.toString().toLowerCase() === name) return raw[index + 1]?.toString();
  }
  return undefined;
}
