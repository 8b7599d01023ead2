// A customer's HTTP proxy: the one way out, with Basic authentication or without, and one that opens TLS on the way.
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, TLSSocket, type SecureContext } from 'node:tls';

/** What a proxy does with a CONNECT (RFC 9110 §9.3.6). */
export interface ProxyPlan {
  /** `user:password` that it wants by Basic authentication (RFC 7617); none is asked for without. */
  readonly credentials?: string;
  /** Where an address leads, as `host:port` of the CONNECT to a loopback port: nothing listens at the addresses themselves. */
  readonly ways: ReadonlyMap<string, number>;
  /** Opens the TLS of everything that passes, with a certificate of its own, and trusts these authorities behind it. */
  readonly inspect?: { readonly cert: string; readonly key: string; readonly ca: () => readonly string[] };
}

/** A running proxy and what it saw. */
export interface ExplicitProxy {
  readonly port: number;
  /** Each CONNECT: where to, and the status that it got. */
  readonly requests: { readonly target: string; readonly status: number }[];
  /** What crossed, opened; empty unless it inspects. */
  readonly seen: () => Buffer;
  readonly close: () => Promise<void>;
}

/** Starts a proxy on loopback. */
export async function startExplicitProxy(plan: ProxyPlan): Promise<ExplicitProxy> {
  const requests: ExplicitProxy['requests'] = [];
  const parts: Buffer[] = [];
  const open = new Set<Duplex>();
  const { inspect } = plan;
  const context = inspect === undefined ? undefined : createSecureContext({ cert: inspect.cert, key: inspect.key });
  const server = createServer();
  server.on('connect', (request: IncomingMessage, near: Duplex, head: Buffer) => {
    keep(near, open);
    const target = request.url ?? '';
    const port = plan.ways.get(target);
    const status = statusOf(plan, request, port);
    requests.push({ target, status });
    if (port === undefined || status !== 200)
      return void near.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    near.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) near.unshift(head);
    if (inspect === undefined || context === undefined) return join(near, keep(connect(port, '127.0.0.1'), open));
    const client = keep(opened(near, context), open);
    const behind = connectTls({ port, host: '127.0.0.1', ca: [...inspect.ca()], minVersion: 'TLSv1.3' });
    for (const side of [client, keep(behind, open)]) side.on('data', (bytes: Buffer) => parts.push(bytes));
    join(client, behind);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    seen: () => Buffer.concat(parts),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of open) socket.destroy();
      }),
  };
}

function statusOf(plan: ProxyPlan, request: IncomingMessage, port: number | undefined): number {
  const wanted = plan.credentials;
  const basic = wanted === undefined ? undefined : `Basic ${Buffer.from(wanted).toString('base64')}`;
  if (basic !== undefined && request.headers['proxy-authorization'] !== basic) return 407;
  return port === undefined ? 403 : 200;
}

function opened(near: Duplex, secureContext: SecureContext): TLSSocket {
  return new TLSSocket(near, { isServer: true, secureContext });
}

function keep<S extends Duplex>(socket: S, open: Set<Duplex>): S {
  open.add(socket);
  socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
  return socket;
}

function join(one: Duplex, other: Duplex): void {
  one.pipe(other).pipe(one);
  one.on('close', () => other.destroy());
  other.on('close', () => one.destroy());
}
