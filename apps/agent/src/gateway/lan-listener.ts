import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorFields, sleep, type Clock, type HostPort, type Log } from '@ringfence/base';
import { AgentError } from '../agent-error.ts';
import type { GatewayCertificate } from './certificate-keeper.ts';

/** Callers on the network. */
const LIMITS = {
  headersTimeout: 10_000,
  // A request as a whole has none: bodies and answers may be long streams; an idle one ends by the socket's.
  requestTimeout: 0,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 32_768,
  handshakeTimeout: 10_000,
  insecureHTTPParser: false,
} as const;
const IDLE_MS = 300_000;
const MOST_CONNECTIONS = 4_096;
const MOST_HEADERS = 200;
const CLOSE_LOOK_MS = 20;
const AGAIN_AFTER_MS = 5_000;

/** What a listener needs. */
export interface LanListenerOptions {
  readonly listen: HostPort;
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** It takes connections from now on. */
  readonly onListening: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The gateway's HTTPS port: TLS 1.3, open from its first certificate on. */
export class LanListener {
  readonly #options: LanListenerOptions;
  #server: Server | undefined;
  #bound: HostPort | undefined;
  #cancelAgain: () => void = () => {};

  constructor(options: LanListenerOptions) {
    this.#options = options;
  }

  /** Where it listens; undefined until it does. */
  get bound(): HostPort | undefined {
    return this.#bound;
  }

  /** Takes the first certificate, or the next: connections that are open keep theirs. */
  use({ chain, key }: GatewayCertificate): void {
    const identity = { cert: chain, key: Buffer.from(key.expose()), minVersion: 'TLSv1.3' } as const;
    if (this.#server !== undefined) return this.#server.setSecureContext(identity);
    const { handler, listen, log, onListening } = this.#options;
    const server = createServer({ ...LIMITS, ...identity, ALPNProtocols: ['http/1.1'] }, handler);
    server.setTimeout(IDLE_MS);
    server.maxConnections = MOST_CONNECTIONS;
    server.maxHeadersCount = MOST_HEADERS;
    server.on('tlsClientError', (error, socket) => {
      log.debug('gateway.handshake-failed', errorFields(error));
      socket.destroy();
    });
    // Neither tunnels nor other protocols.
    server.on('connect', (_, socket) => socket.destroy());
    server.on('listening', () => {
      const { port } = server.address() as AddressInfo;
      this.#bound = { host: listen.host, port };
      onListening();
      log.info('gateway.listening', { listen: `${listen.host}:${port}` });
    });
    server.on('error', (cause) => {
      const error = new AgentError('cannot-listen', 'the address of --gateway-listen cannot be listened on', { cause });
      log.error('gateway.not-listening', errorFields(error));
      if (this.#bound === undefined)
        this.#cancelAgain = this.#options.clock.after(AGAIN_AFTER_MS, () => this.#listen());
    });
    this.#server = server;
    this.#listen();
  }

  #listen(): void {
    const { port, host } = this.#options.listen;
    this.#server?.listen({ port, host });
  }

  /** Takes no more connections, lets requests finish for up to `within` milliseconds, then cuts. */
  async close(within: number): Promise<void> {
    const server = this.#server;
    this.#cancelAgain();
    if (server === undefined) return;
    const { clock } = this.#options;
    let open = true;
    server.close(() => (open = false));
    const end = clock.monotonic() + within;
    while (open && clock.monotonic() < end) {
      server.closeIdleConnections();
      await sleep(clock, CLOSE_LOOK_MS);
    }
    server.closeAllConnections();
  }
}
