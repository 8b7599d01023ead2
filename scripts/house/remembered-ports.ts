// A house keeps its addresses over a restart: peers have pinned them in their state.
import { randomInt } from 'node:crypto';
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

/**
 * Below the ports that Linux hands out by itself (32768 and up): a process that is started again finds its port taken by nobody's
 * outgoing connection.
 */
const [LOWEST, HIGHEST] = [20_000, 32_767];
const TRIES = 100;

async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`${TRIES} ports between ${LOWEST} and ${HIGHEST} are taken`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
