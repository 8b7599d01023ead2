import { join } from 'node:path';
import type { Mount, SandboxLevel } from '../../sandbox/index.ts';
import { SOCKET_NAME } from './job-socket.ts';

/** Where a job finds the folder of its socket. */
export const FEDERATION_FOLDER = '/opt/ringfence/federation';

/** The address of a socket holds so many bytes (unix(7)), and at level process the job connects by the host's own path. */
const LONGEST_PATH = 107;

/** The mount and the variable with which a job reaches the socket in `folder` of the host; undefined where its path is too long to connect to. */
export function socketMount(
  folder: string,
  level: SandboxLevel,
): { readonly mount: Mount; readonly env: Readonly<Record<string, string>> } | undefined {
  const mount: Mount = { hostPath: folder, sandboxPath: FEDERATION_FOLDER, mode: 'ro' };
  const path = join(level === 'process' ? folder : FEDERATION_FOLDER, SOCKET_NAME);
  if (Buffer.byteLength(path) > LONGEST_PATH) return undefined;
  return { mount, env: { RINGFENCE_FEDERATION: path } };
}
