import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'undici';

/** How connections to one HTTP server are made and kept. */
export interface ConnectionOptions {
  /** A new connection, with somebody who takes requests at its other end. */
  readonly open: () => Promise<Duplex>;
  /** Most connections at once. */
  readonly most: number;
  /** Milliseconds that an idle connection is kept; a `Keep-Alive` header of the server shortens or, up to a minute, lengthens it. */
  readonly idleMs: number;
  /** Whether an agent is at the other end, who may say that a request was not taken; a replica may not. */
  readonly isAgent: boolean;
}

/** A server that lets 1 s pass between its own time-out and ours, cannot close a connection just as we use it. */
const HINT_MARGIN_MS = 1_000;
const LONGEST_IDLE_MS = 60_000;
/** An answer begins within this, and no gap in it is longer. */
const SILENT_MS = 240_000;

let loaded: Promise<{ default: typeof Client }> | undefined;

/** Kept connections to one HTTP server; each carries one request at a time. */
export class ReplicaConnections {
  readonly #options: ConnectionOptions;
  readonly #clients = new Set<Client>();
  /** Connected and idle, the one used last at the end. */
  readonly #free: Client[] = [];
  #opening = 0;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Most requests at once. */
  get most(): number {
    return this.#options.most;
  }

  /** Whether an agent is at the other end. */
  get isAgent(): boolean {
    return this.#options.isAgent;
  }

  /** An idle connection; undefined when one has to be opened. */
  takeFree(): Client | undefined {
    return this.#free.pop();
  }

  /** A new connection; throws what `open` throws, and `Error` when there are as many as may be. */
  async open(): Promise<Client> {
    if (this.#closed || this.#clients.size + this.#opening >= this.#options.most) throw new Error('no connection left');
    this.#opening += 1;
    try {
      const [{ default: HttpClient }, socket] = await Promise.all([load(), this.#options.open()]);
      if (this.#closed) {
        socket.destroy();
        throw new Error('closed');
      }
      return this.#keep(HttpClient, socket);
    } finally {
      this.#opening -= 1;
    }
  }

  /** Gives a connection back, for the next request. */
  release(client: Client): void {
    if (this.#closed || client.destroyed) return this.#drop(client);
    if (this.#clients.has(client)) this.#free.push(client);
  }

  /** Cuts a connection that is of no use any more. */
  discard(client: Client): void {
    this.#drop(client);
  }

  /** Lets requests under way finish; opens and lends nothing any more. */
  close(): void {
    this.#closed = true;
    for (const client of this.#free.splice(0)) this.#drop(client);
  }

  /** Cuts everything. */
  destroy(): void {
    this.#closed = true;
    for (const client of this.#clients) this.#drop(client);
  }

  #keep(HttpClient: typeof Client, socket: Duplex): Client {
    let opened: Duplex | undefined = socket;
    const client = new HttpClient('http://replica', {
      pipelining: 1,
      keepAliveTimeout: this.#options.idleMs,
      keepAliveMaxTimeout: LONGEST_IDLE_MS,
      keepAliveTimeoutThreshold: HINT_MARGIN_MS,
      headersTimeout: SILENT_MS,
      bodyTimeout: SILENT_MS,
      connect: (_, connected) => {
        const first = opened;
        opened = undefined;
        // The second time is a request that found its connection closed before a byte of it was sent.
        const open = first === undefined ? this.#options.open() : Promise.resolve(first);
        open.then(
          // undici uses what streams and sockets have in common, and asks before it uses more.
          (stream) => connected(null, stream as Socket),
          (error: Error) => connected(error, null),
        );
      },
    });
    this.#clients.add(client);
    client.on('disconnect', () => {
      const at = this.#free.indexOf(client);
      if (at === -1) return;
      this.#free.splice(at, 1);
      this.#drop(client);
    });
    return client;
  }

  #drop(client: Client): void {
    this.#clients.delete(client);
    if (!client.destroyed) void client.destroy().catch(() => {});
  }
}

/** undici's client alone, on first use. */
function load(): Promise<{ default: typeof Client }> {
  loaded ??= import('undici/lib/dispatcher/client.js');
  return loaded;
}
