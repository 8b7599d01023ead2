import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';

/** An HTTP server on a unix socket, in the place of a service in its sandbox. */
export interface StandIn {
  readonly open: () => Promise<Duplex>;
  /** Connections that were made so far. */
  readonly opened: () => number;
  /** Cuts every connection and takes none any more, like a process that died. */
  readonly die: () => void;
}

/** Serves `handler` until the test ends. */
export async function standIn(t: TestContext, handler: RequestListener, keepAliveMs = 5_000): Promise<StandIn> {
  const folder = mkdtempSync(join(tmpdir(), 'rf-replica-'));
  const path = join(folder, 's');
  const server = createHttpServer({ keepAliveTimeout: keepAliveMs }, handler);
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const die = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    die();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    opened: () => opened,
    die,
    open: () =>
      new Promise((resolve, reject) => {
        opened += 1;
        const socket = connect(path);
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      }),
  };
}
