import type { ClientRequest } from 'node:http';
import { WebSocket } from 'ws';
import type { Clock } from '@ringfence/base';
import { connectionError } from '../connection-error.ts';
import { ClientError } from '../error.ts';
import { outerTls, parseServerUrl, proxyAgent, type OuterTrust } from '../outer-tls/index.ts';
import { relayPathOf, type RelayRequest } from '../relay-protocol/index.ts';
import { MAX_LINK_MESSAGE } from './web-socket-stream.ts';

/** How to reach a relay: its `https://host[:port]`, whom to trust to be it, and an HTTP proxy on the way. */
export interface RelayAccess extends OuterTrust {
  readonly relayUrl: string;
  readonly proxy?: string | undefined;
}

const CLOSE_WITHIN = 5_000;

/**
 * An open WebSocket to a relay, with reading paused so that nothing is lost before the caller listens. It ends when
 * `signal` aborts. Throws ClientError: codes of outerTls, `relay-refused`, `proxy-refused`, `unreachable`.
 */
export async function openRelaySocket(options: {
  access: RelayAccess;
  request: RelayRequest;
  clock: Clock;
  signal: AbortSignal;
}): Promise<WebSocket> {
  const { access, signal } = options;
  const url = parseServerUrl(access.relayUrl);
  const trust = await outerTls({ ...access, url: access.relayUrl, clock: options.clock, signal });
  signal.throwIfAborted();
  // Named, because the types of ws do not know closeTimeout yet.
  const settings = {
    ...trust,
    ...(access.proxy === undefined ? {} : { agent: proxyAgent(access.proxy, signal) }),
    perMessageDeflate: false,
    maxPayload: MAX_LINK_MESSAGE,
    closeTimeout: CLOSE_WITHIN,
    // Masks keep plaintext proxies from misreading chosen bytes (RFC 6455 §10.3). Here TLS goes around every frame and
    // the bytes of a link are TLS records, which nobody can choose; a mask of zeros saves half of the sender's time.
    generateMask: (mask: Buffer) => mask.fill(0),
    finishRequest: (request: ClientRequest) => request.once('proxyConnect', refuseUnlessConnected).end(),
  };
  const socket = new WebSocket(`wss://${url.host}${relayPathOf(options.request)}`, settings);
  signal.addEventListener('abort', () => socket.terminate(), { once: true });
  let refusedByProxy: number | undefined;
  function refuseUnlessConnected(answer: { statusCode: number }): void {
    if (answer.statusCode !== 200) refusedByProxy = answer.statusCode;
  }
  return new Promise((resolve, reject) => {
    socket.on('error', (error) =>
      reject(refusedByProxy === undefined ? connectionError(error) : proxyRefused(refusedByProxy)),
    );
    socket.once('unexpected-response', (request, response) => {
      reject(refusedByProxy === undefined ? relayRefused(response.statusCode) : proxyRefused(refusedByProxy));
      request.destroy();
    });
    socket.once('open', () => {
      socket.pause();
      resolve(socket);
    });
  });
}

function proxyRefused(status: number): ClientError {
  return new ClientError('proxy-refused', `the proxy refused to connect (status ${status})`, {
    next:
      status === 407
        ? 'put user and password into the proxy URL: http://user:password@host:port'
        : 'allow the relay in the proxy, or use a proxy that may reach it',
  });
}

function relayRefused(status: number | undefined): ClientError {
  return new ClientError('relay-refused', `the server at the relay's URL refused (status ${status ?? 'none'})`, {
    next: 'check that the URL is a relay and that it is not overloaded',
  });
}
