import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { sleep, type Clock } from '@ringfence/base';
import { sendJson, sendRefusal } from '../../http/send-json.ts';
import type { HostIdentity } from '../../sandbox/index.ts';
import { isRefusal, littleEndianBytes, readUpdate, type JobUpdate } from './read-update.ts';

/** Name of the socket in its folder. */
export const SOCKET_NAME = 'federation.sock';

/** A round as the job sees it. */
export interface JobRound {
  readonly round: number;
  readonly task: 'train' | 'evaluate';
  readonly model: Float32Array;
  /** Settings of local training; what the contract says, nothing else. */
  readonly config: object;
}

/** What a job's socket needs. */
export interface JobSocketOptions {
  /** Rounds in all, for the job to show. */
  readonly rounds: number;
  readonly parameters: number;
  readonly clock: Clock;
}

interface Shown extends JobRound {
  /** The model as it is sent, to whoever asks. */
  readonly bytes: Uint8Array;
  readonly updated: (update: JobUpdate) => void;
}

/** O_PATH of open(2), which Node does not name. */
const PATH_ONLY = 0o10_000_000;
const MOST_CONNECTIONS = 16;
const POLL_MS = 30_000;

/**
 * What a job of a federation talks to: HTTP on a unix socket in its sandbox. It hands out the model of a round and takes one update for it;
 * clipping, noise, masks and keys stay on this side.
 */
export class JobSocket {
  readonly #options: JobSocketOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #changed = new Set<() => void>();
  #folderFd: number | undefined;
  #shown: Shown | undefined;
  #last = 0;
  #reading = false;
  #sending = false;
  readonly #answering = new WeakSet<Socket>();
  #done = false;

  constructor(options: JobSocketOptions) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 15_000, requestTimeout: 0, keepAliveTimeout: 60_000 });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('request', (request, response) => {
      if (this.#isFirst(request, response)) void this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('clientError', (_error, socket) => void socket.destroy());
  }

  /** Makes `folder` and listens in it, on a socket that `owner` alone may use (null: the agent's own user). */
  async listenIn(folder: string, owner: HostIdentity | null): Promise<void> {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    // By descriptor: the path may be longer than the address of a socket can be (unix(7): 107 bytes).
    this.#folderFd = openSync(folder, PATH_ONLY);
    this.#server.listen({ path: this.#path(this.#folderFd) });
    await once(this.#server, 'listening');
    chmodSync(this.#path(this.#folderFd), 0o600);
    if (owner !== null) chownSync(this.#path(this.#folderFd), owner.uid, owner.gid);
  }

  /**
   * Shows `round` to the job; resolves with its update, or undefined when `signal` aborts first: then none is taken any more. The job sees each number once: a round
   * that is shown again has the next one, or the job would wait for another.
   */
  async show(round: JobRound, signal: AbortSignal): Promise<JobUpdate | undefined> {
    if (signal.aborted) return undefined;
    let shown: Shown | undefined;
    try {
      return await new Promise<JobUpdate | undefined>((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
        this.#last = Math.max(round.round, this.#last + 1);
        this.#shown = { ...round, bytes: littleEndianBytes(round.model), round: this.#last, updated: resolve };
        shown = this.#shown;
        this.#tell();
      });
    } finally {
      if (this.#shown === shown) this.#shown = undefined;
    }
  }

  /** Whether the job was told that there are no more rounds. */
  get isDone(): boolean {
    return this.#done;
  }

  /** There are no more rounds: the job is told, and ends by itself. */
  finish(): void {
    this.#done = true;
    this.#tell();
  }

  /** Ends it with every connection. */
  close(): void {
    this.finish();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#folderFd === undefined) return;
    rmSync(this.#path(this.#folderFd), { force: true });
    closeSync(this.#folderFd);
    this.#folderFd = undefined;
  }

  /** Whether its connection waits for no other answer. Answers that wait for each other take memory, so a job that pipelines loses its connection. */
  #isFirst({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (this.#answering.has(socket)) {
      socket.destroy();
      return false;
    }
    this.#answering.add(socket);
    const answered = (): void => void this.#answering.delete(socket);
    response.once('finish', answered);
    response.once('close', answered);
    return true;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://agent');
    const after = /^\d{1,9}$/.exec(url.searchParams.get('after') ?? '0')?.[0];
    if (request.method === 'GET' && url.pathname === '/v1/round' && after !== undefined) {
      request.resume();
      return this.#sendRound(response, Number(after));
    }
    const [, number, what] = /^\/v1\/rounds\/(\d{1,9})\/(model|update)$/.exec(url.pathname) ?? [];
    if (request.method === 'GET' && what === 'model') {
      request.resume();
      return this.#sendModel(response, Number(number));
    }
    if (request.method === 'PUT' && what === 'update') return this.#takeUpdate(request, response, Number(number));
    request.resume();
    sendRefusal(response, 404, 'not-found', 'ask for /v1/round, /v1/rounds/R/model or /v1/rounds/R/update');
  }

  async #sendRound(response: ServerResponse, after: number): Promise<void> {
    const { clock, rounds, parameters } = this.#options;
    const deadline = clock.monotonic() + POLL_MS;
    while (!this.#done && !(this.#shown !== undefined && this.#shown.round > after)) {
      const left = deadline - clock.monotonic();
      if (left <= 0 || response.destroyed) return void response.writeHead(204).end();
      await this.#change(response, left);
    }
    if (this.#done) return sendJson(response, 200, { round: this.#last, rounds, task: 'done', parameters, config: {} });
    const shown = this.#shown;
    if (shown === undefined) return void response.writeHead(204).end();
    const { round, task, config } = shown;
    sendJson(response, 200, { round, rounds, task, parameters, config });
  }

  #sendModel(response: ServerResponse, round: number): void {
    if (this.#shown?.round !== round) return roundOver(response);
    // Models of ended rounds that nobody reads would stay in memory, one for each connection.
    if (this.#sending) return sendRefusal(response, 409, 'busy', 'a model is being sent: read it, or close that link');
    const { bytes } = this.#shown;
    this.#sending = true;
    response.once('close', () => (this.#sending = false));
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length }).end(bytes);
  }

  async #takeUpdate(request: IncomingMessage, response: ServerResponse, round: number): Promise<void> {
    const shown = this.#shown;
    if (shown?.round !== round) {
      request.resume();
      return roundOver(response);
    }
    // Each takes the memory of a model.
    if (this.#reading) {
      request.resume();
      return sendRefusal(response, 409, 'busy', 'an update of this round is being read: send one');
    }
    this.#reading = true;
    const read = await readUpdate(request, shown.task === 'train' ? this.#options.parameters : 0).finally(() => {
      this.#reading = false;
    });
    if (isRefusal(read)) return sendRefusal(response, 400, read.code, read.message);
    // The round may have ended while its update was read.
    if (this.#shown !== shown) return roundOver(response);
    this.#shown = undefined;
    shown.updated(read);
    response.writeHead(204).end();
  }

  async #change(response: ServerResponse, within: number): Promise<void> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    this.#changed.add(stop);
    response.once('close', stop);
    await sleep(this.#options.clock, within, over.signal);
    response.off('close', stop);
    this.#changed.delete(stop);
  }

  #tell(): void {
    for (const changed of this.#changed) changed();
  }

  #path(folder: number): string {
    return join('/proc/self/fd', String(folder), SOCKET_NAME);
  }
}

function roundOver(response: ServerResponse): void {
  sendRefusal(response, 409, 'round-over', 'this round takes no update any more: ask for the next one');
}
