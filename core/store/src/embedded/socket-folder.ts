import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Account } from './account.ts';
import { SOCKET_PORT } from './settings.ts';

const PREFIX = 'rf-db-';
// sun_path holds 107 bytes (unix(7)); the server also makes `<socket>.lock` beside it, which is a plain file.
const LONGEST_FOLDER = 107 - `/.s.PGSQL.${SOCKET_PORT}`.length;

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const ANSWER_WITHIN_MS = 5000;

/**
 * Makes a private folder (mode 0700) for the socket, with a path short enough for one; for another account in /tmp, because it may
 * not be able to reach root's own temporary folder.
 */
export function makeSocketFolder(account: Account | undefined, base: string = account ? '/tmp' : tmpdir()): string {
  const short = Buffer.byteLength(join(base, `${PREFIX}XXXXXX`)) <= LONGEST_FOLDER ? base : '/tmp';
  const folder = mkdtempSync(join(short, PREFIX));
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  return folder;
}

/** Removes a folder that {@link makeSocketFolder} made; any other path is left alone, and so is a folder with strange files. */
export function removeSocketFolder(folder: string): void {
  if (!basename(folder).startsWith(PREFIX)) return;
  try {
    if (readdirSync(folder).every((name) => name.startsWith('.s.PGSQL.'))) rmSync(folder, { recursive: true });
  } catch {
    // Gone already.
  }
}

/**
 * Whether a server lives behind the socket in `folder`, asked with an SSLRequest (PostgreSQL documentation, 54.7): one that was killed
 * takes connections until the kernel has cleared it away, but it answers none. At most five seconds.
 */
export function answers(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: join(folder, `.s.PGSQL.${SOCKET_PORT}`), timeout: ANSWER_WITHIN_MS });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write(SSL_REQUEST));
    socket.once('data', end(true)).once('close', end(false)).once('error', end(false)).once('timeout', end(false));
  });
}
