import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';

/** What a role shows of itself on loopback. */
export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined when the role can do its work, else why not. */
  readonly notReady: () => Promise<string | undefined> | string | undefined;
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

/** A listening admin server. */
export interface AdminServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Idle connections take places that a probe needs: none lives longer than these, in milliseconds. */
const TIMES = {
  headersTimeout: 2_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 1_000,
  connectionsCheckingInterval: 1_000,
} as const;

/**
 * Serves `/healthz` (the process answers), `/readyz` (it can do its work) and `/metrics` over plain HTTP; meant for loopback. One request a
 * connection; a request for another host than loopback or the listener's own address is refused, so that no web page reads along by DNS rebinding.
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer(TIMES, (request, response) => {
    if (!isOwnHost(request, options.host)) return send(response, 403, 'another host\n');
    answer(request.url ?? '/', response, options).catch(() => send(response, 500, 'failed\n'));
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isOwnHost({ headers, socket }: IncomingMessage, listener: string): boolean {
  // Only what is no browser leaves the header out.
  if (headers.host === undefined) return true;
  const url = `http://${headers.host}`;
  if (!URL.canParse(url)) return false;
  const named = new URL(url).hostname.replaceAll(/[[\]]/g, '');
  if (named === 'localhost' || named === '::1' || named === listener.toLowerCase()) return true;
  if (isIP(named) === 4 && named.startsWith('127.')) return true;
  return isIP(named) !== 0 && named === socket.localAddress?.replace(/^::ffff:/, '');
}

async function answer(path: string, response: ServerResponse, options: AdminOptions): Promise<void> {
  if (path === '/healthz') return send(response, 200, 'ok\n');
  if (path === '/readyz') {
    const reason = await options.notReady();
    return send(response, reason === undefined ? 200 : 503, `${reason ?? 'ready'}\n`);
  }
  if (path !== '/metrics') return send(response, 404, 'not found\n');
  const { contentType, body } = await options.metrics();
  send(response, 200, body, contentType);
}

function send(response: ServerResponse, status: number, body: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType, connection: 'close' }).end(body);
}
