import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf, type Clock } from '@ringfence/base';
import { INBOUND_SOCKET, SERVICE_ANSWERED } from '../sandbox-init/places.ts';
import type { HostIdentity } from './capabilities.ts';
import type { SandboxLevel } from './isolation.ts';
import type { SandboxNetwork } from './network.ts';
import { SandboxError } from './sandbox-error.ts';

/** O_PATH of open(2), which Node does not name: the file itself, without opening it. */
const PATH_ONLY = 0o10_000_000;
const WITHIN_MS = 10_000;

/** Whose service is called. */
export interface InboundTarget {
  readonly level: SandboxLevel;
  readonly identity: HostIdentity;
  readonly network: 'none' | SandboxNetwork;
}

/**
 * A connection to the service of a job that runs. The job may write the folder of the socket: a link or anybody else's socket in
 * its place is refused, or the agent would connect there with its own rights. Throws SandboxError `no-inbound` when
 * the job has no service, `inbound-refused` while the service does not listen.
 */
export async function connectInbound(target: InboundTarget, clock: Clock): Promise<Duplex> {
  const inbound = target.network === 'none' ? undefined : target.network.inbound;
  if (inbound === undefined) throw new SandboxError('no-inbound', 'the job has no service that can be called');
  if (target.level === 'process')
    return within(clock, connect({ host: '127.0.0.1', port: inbound.port, allowHalfOpen: true, noDelay: true }), false);
  const fd = openSocket(`${inbound.folder}/${INBOUND_SOCKET}`, target.identity);
  try {
    // By descriptor: a path may be longer than a socket's address holds, and be exchanged meanwhile.
    return await within(clock, connect({ path: `/proc/self/fd/${fd}`, allowHalfOpen: true }), true);
  } finally {
    closeSync(fd);
  }
}

function openSocket(path: string, identity: HostIdentity): number {
  let fd: number;
  try {
    fd = openSync(path, PATH_ONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    throw refused('the service does not listen yet', cause);
  }
  const stat = fstatSync(fd);
  if (stat.isSocket() && stat.uid === identity.uid) return fd;
  closeSync(fd);
  throw refused('the socket of the service is not the one that was made for it');
}

/** Resolves when the service itself has accepted: the init says so with one byte, since it accepts before it knows. */
function within(clock: Clock, socket: Socket, withWord: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (failure?: SandboxError): void => {
      cancel();
      socket.removeAllListeners();
      if (failure === undefined) return resolve(socket);
      socket.on('error', () => {}).destroy();
      reject(failure);
    };
    const cancel = clock.after(WITHIN_MS, () => settle(refused('the service did not answer in time')));
    socket.on('error', (cause) => settle(refused(`the service cannot be reached: ${messageOf(cause)}`, cause)));
    socket.on('end', () => settle(refused('the service does not listen')));
    socket.on(withWord ? 'readable' : 'connect', () => {
      if (!withWord) return settle();
      const word = socket.read(1) as Buffer | null;
      if (word !== null) settle(word[0] === SERVICE_ANSWERED ? undefined : refused('the service does not listen'));
    });
  });
}

function refused(message: string, cause?: unknown): SandboxError {
  return new SandboxError('inbound-refused', message, cause === undefined ? {} : { cause });
}
