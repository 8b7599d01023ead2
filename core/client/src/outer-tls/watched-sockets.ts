import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** The two ends of a TCP connection, as `ADDRESS:PORT` with brackets around IPv6 addresses. */
export interface SocketEnds {
  readonly local: string;
  readonly remote: string;
}

/** Who is told of TCP connections. */
export interface SocketWatch {
  /** A connection was made; nothing has crossed it yet. Returns what {@link SocketWatch.hungUp} is told later. */
  readonly dialled: (ends: SocketEnds) => number;
  /** It is closed; `in` and `out` are the bytes of TCP payload that this process has read and written. */
  readonly hungUp: (dial: number, bytes: { readonly in: number; readonly out: number }) => void;
}

const watching = new AsyncLocalStorage<{ readonly watch: SocketWatch; active: boolean }>();
let subscribed = false;

/**
 * Runs `dial` and tells `watch` of every TCP connection that is made on its behalf, also by libraries (Node publishes
 * each on `net.client.socket`), from before its first byte to its end.
 */
export async function watchSockets<T>(watch: SocketWatch, dial: () => Promise<T>): Promise<T> {
  if (!subscribed) subscribe('net.client.socket', (message) => onSocket(message));
  subscribed = true;
  const dialling = { watch, active: true };
  try {
    return await watching.run(dialling, dial);
  } finally {
    // Whatever a message on the new connection leads to runs in this context as well, and dials for itself.
    dialling.active = false;
  }
}

function onSocket(message: unknown): void {
  const dialling = watching.getStore();
  if (dialling?.active !== true || !isSocketMessage(message)) return;
  const { watch } = dialling;
  const { socket } = message;
  socket.once('connect', () => {
    const ends = endsOf(socket);
    if (ends === undefined) return;
    const dial = watch.dialled(ends);
    socket.once('close', () => watch.hungUp(dial, { in: socket.bytesRead, out: socket.bytesWritten }));
  });
}

function isSocketMessage(message: unknown): message is { socket: Socket } {
  return typeof message === 'object' && message !== null && 'socket' in message;
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): SocketEnds | undefined {
  if (localAddress === undefined || remoteAddress === undefined) return undefined;
  return { local: endpoint(localAddress, localPort ?? 0), remote: endpoint(remoteAddress, remotePort ?? 0) };
}

function endpoint(address: string, port: number): string {
  const [plain = ''] = address.split('%');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}
