import type { ClientRequest } from 'node:http';
import type { Clock } from '@ringfence/base';
import { WebSocket } from 'ws';
import { connectionError } from '../connection-error.ts';
import { ClientError } from '../error.ts';
import { outerTls, parseServerUrl, proxyAgent, tlsOverTcp, watchSockets, type OuterTrust } from '../outer-tls/index.ts';
import { serverBusy } from './server-busy.ts';
import { LINK_PATH, LINK_PROTOCOL, SOCKET_SETTINGS } from './frame-transport.ts';

const CONNECT_WITHIN = 10_000;

/** What a journal is told of the TCP connections of one dial. */
export interface DialJournal {
  dialled(dial: { to: string; via: 'direct' | 'proxy'; local: string; remote: string }): number;
  hungUp(dial: number, bytes: { in: number; out: number }): void;
}

/** An open WebSocket, and the number of the record that tells of its TCP connection. */
export interface DialledSocket {
  readonly socket: WebSocket;
  readonly dial: number | undefined;
}

/**
 * Dials as {@link dialControlPlane} says, and writes down every TCP connection on the way: the one that carries the link, and one that
 * fetches a pinned authority before it.
 */
export async function dialRecorded(
  journal: DialJournal,
  options: Parameters<typeof dialControlPlane>[0],
): Promise<DialledSocket> {
  const { host } = parseServerUrl(options.url);
  const via = options.proxy === undefined ? 'direct' : 'proxy';
  let dial: number | undefined;
  const socket = await watchSockets(
    {
      dialled: (ends) => (dial = journal.dialled({ to: host, via, ...ends })),
      hungUp: (ended, bytes) => journal.hungUp(ended, bytes),
    },
    () => dialControlPlane(options),
  );
  return { socket, dial };
}

/**
 * An open WebSocket to a control plane over TLS 1.3. Throws ClientError: codes of `outerTls`, `link-refused`,
 * `server-busy`, `proxy-refused`, `unreachable`, `timed-out`, `aborted`.
 */
async function dialControlPlane(options: {
  url: string;
  trust: OuterTrust;
  proxy?: string | undefined;
  clock: Clock;
  signal: AbortSignal;
}): Promise<WebSocket> {
  const { url, trust, proxy, clock, signal } = options;
  const { host } = parseServerUrl(url);
  const tls = await outerTls({ ...trust, url, clock, proxy, signal });
  signal.throwIfAborted();
  let proxyStatus = 200;
  const settings = {
    ...SOCKET_SETTINGS,
    ...tls,
    ...(proxy === undefined ? {} : { agent: proxyAgent(proxy, signal) }),
    handshakeTimeout: CONNECT_WITHIN,
    finishRequest: (request: ClientRequest) =>
      request.once('proxyConnect', (answer: { statusCode: number }) => (proxyStatus = answer.statusCode)).end(),
  };
  // The types of `ws` know the connection functions of Node, not these options in one.
  const direct: object = proxy === undefined ? { createConnection: tlsOverTcp } : {};
  const socket = new WebSocket(`wss://${host}${LINK_PATH}`, LINK_PROTOCOL, { ...settings, ...direct });
  const abort = (): void => socket.terminate();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', (error) => reject(proxyStatus === 200 ? connectionError(error) : proxyRefused()));
      socket.once('unexpected-response', (request, response) => {
        reject(proxyStatus === 200 ? (serverBusy(response) ?? linkRefused()) : proxyRefused());
        request.destroy();
      });
      socket.once('open', () => resolve(socket));
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function linkRefused(): ClientError {
  return new ClientError('link-refused', 'the server takes no control link at this address', {
    next: 'check that the URL is that of a control plane',
  });
}

function proxyRefused(): ClientError {
  return new ClientError('proxy-refused', 'the proxy refused to connect', {
    next: 'check the proxy URL, its user and password, and that it may reach the control plane',
  });
}
