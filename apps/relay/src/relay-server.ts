import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { Socket, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { sleep, type Clock, type Log, type Rng } from '@ringfence/base';
import { parseHostHeader, parseRelayPath } from '@ringfence/client/relay-protocol';
import type { ServerCertificate } from '@ringfence/client/server-certificate';
import { ConnectionCap } from './connection-cap.ts';
import { RelayError } from './error.ts';
import { Exchange } from './exchange.ts';
import type { RelayLimits } from './limits.ts';
import { RelayMetrics } from './metrics.ts';

/** What a relay needs. */
export interface RelayServerOptions {
  readonly host: string;
  readonly port: number;
  /** Names by which clients call this relay, as URLs spell them; listeners' proofs are bound to them. */
  readonly names: readonly string[];
  readonly certificate: ServerCertificate;
  readonly limits: RelayLimits;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** A relay that listens. */
export interface RelayServer {
  readonly port: number;
  /** New connections see this certificate. */
  useCertificate(certificate: ServerCertificate): void;
  /** Tells all connections to come back, waits up to 3 s for them to go, then drops them. */
  close(): Promise<void>;
}

const CHECK_EVERY = 1_000;
const MOST_HEADER_BYTES = 8_192;
const MOST_MESSAGE_BYTES = 65_536;
const CLOSE_WITHIN = 3_000;

/** Starts a relay; throws RelayError `cannot-listen` or `bad-certificate`. */
export async function startRelayServer(options: RelayServerOptions): Promise<RelayServer> {
  const server = httpsServer(options.certificate, options.limits.headersWithin);
  // Before anything that runs on: a relay that cannot listen must end.
  await listen(server, options);
  const metrics = new RelayMetrics();
  const exchange = new Exchange({ ...options, metrics });
  let ready = true;
  const cap = new ConnectionCap(options.limits.connectionsPerClient);
  server.maxConnections = options.limits.connections;
  server.prependListener('connection', (socket) => {
    if (socket instanceof Socket && !cap.take(socket, (open) => metrics.connected(open))) metrics.refused('too-many');
  });
  server.on('request', (request, response) => void answer(request, response, { metrics, ready: () => ready }));
  server.on('upgrade', upgrader(exchange, options.names));
  return {
    port: (server.address() as AddressInfo).port,
    useCertificate: (certificate) => server.setSecureContext(tlsOptions(certificate)),
    close: async () => {
      ready = false;
      await close(server, exchange, options.clock);
    },
  };
}

function tlsOptions({ certificatePem, privateKeyPem }: ServerCertificate) {
  return { cert: certificatePem, key: Buffer.from(privateKeyPem.expose()), minVersion: 'TLSv1.3' } as const;
}

function httpsServer(certificate: ServerCertificate, headersWithin: number): Server {
  try {
    return createServer({
      ...tlsOptions(certificate),
      handshakeTimeout: headersWithin,
      headersTimeout: headersWithin,
      requestTimeout: headersWithin,
      keepAliveTimeout: headersWithin,
      connectionsCheckingInterval: Math.min(CHECK_EVERY, headersWithin),
      maxHeaderSize: MOST_HEADER_BYTES,
    });
  } catch (cause) {
    throw new RelayError('bad-certificate', 'the certificate and the key do not make a TLS server', {
      cause,
      next: 'check that both are PEM and belong together',
    });
  }
}

async function listen(server: Server, { host, port }: RelayServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new RelayError('cannot-listen', `${host}:${port} cannot be listened on`, {
          cause,
          next: 'choose an address of this machine and a free port with --listen',
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function upgrader(exchange: Exchange, names: readonly string[]) {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MOST_MESSAGE_BYTES,
  });
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const wanted = parseRelayPath(request.url ?? '');
    const called = parseHostHeader(request.headers.host ?? '');
    if (wanted === undefined) return refuse(socket, '404 Not Found');
    // Whoever listens and dials is no browser, and pages of a browser say where they are from.
    if (request.headers.origin !== undefined) return refuse(socket, '403 Forbidden');
    if (called === undefined || !names.includes(called.name)) return refuse(socket, '421 Misdirected Request');
    sockets.handleUpgrade(request, socket, head, (opened) => exchange.take(opened, wanted, called.host));
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  state: { metrics: RelayMetrics; ready: () => boolean },
): Promise<void> {
  const send = (status: number, body: string, contentType = 'text/plain'): void => {
    response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
  };
  if (request.method !== 'GET') return send(405, 'only GET\n');
  switch (request.url ?? '') {
    case '/healthz':
      return send(200, 'ok\n');
    case '/readyz':
      return state.ready() ? send(200, 'ready\n') : send(503, 'stopping\n');
    case '/metrics': {
      const { contentType, body } = await state.metrics.text();
      return send(200, body, contentType);
    }
    default:
      return send(404, 'not found\n');
  }
}

async function close(server: Server, exchange: Exchange, clock: Clock): Promise<void> {
  const closed = new AbortController();
  server.close(() => closed.abort());
  server.closeIdleConnections();
  exchange.close();
  await sleep(clock, CLOSE_WITHIN, closed.signal);
  exchange.terminate();
  server.closeAllConnections();
}
