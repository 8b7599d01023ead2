// A house keeps its addresses over a restart: peers have pinned them in their state.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The port of `name` in the house at `root`: the one it had before, else a free one that it now keeps. */
export async function portOf(root: string, name: string): Promise<number> {
  const file = join(root, 'ports.json');
  // Asked for before the file is read: nothing may come between reading and writing it.
  const fresh = await freePort();
  const ports: Record<string, number> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const port = ports[name] ?? fresh;
  writeFileSync(file, `${JSON.stringify({ ...ports, [name]: port })}\n`, { mode: 0o600 });
  return port;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
