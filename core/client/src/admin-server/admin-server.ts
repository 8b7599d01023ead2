import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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

/** Serves `/healthz` (the process answers), `/readyz` (it can do its work) and `/metrics` over plain HTTP; meant for loopback. */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, options).catch(() => send(response, 500, 'failed\n'));
  });
  server.headersTimeout = 5_000;
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
  response.writeHead(status, { 'content-type': contentType }).end(body);
}
