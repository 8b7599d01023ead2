import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Account } from './account.ts';
import { SOCKET_PORT } from './settings.ts';

const PREFIX = 'rf-db-';
// sun_path holds 107 bytes (unix(7)); the server also makes `<socket>.lock` beside it, which is a plain file.
const LONGEST_FOLDER = 107 - `/.s.PGSQL.${SOCKET_PORT}`.length;

/** Makes a private folder (mode 0700) for the socket, with a path short enough for one. */
export function makeSocketFolder(account: Account | undefined, base: string = tmpdir()): string {
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

/** Whether somebody accepts connections on the socket in `folder`; at most one second. */
export function answers(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: join(folder, `.s.PGSQL.${SOCKET_PORT}`), timeout: 1000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
