import type { Clock } from '@ringfence/base';

/** The part of a WebSocket that shows whether the other end is there. */
export interface PingableSocket {
  ping(): void;
  terminate(): void;
  on(event: 'pong' | 'ping' | 'message' | 'close', listener: () => void): unknown;
}

/** How often a WebSocket that waits is asked whether the other end is there, in milliseconds. */
export const PING_EVERY = 20_000;

/**
 * Pings every {@link PING_EVERY} and terminates the socket when a whole period after a ping brought nothing: a dead
 * connection is found within 40 s. Stops by itself when the socket closes.
 */
export function watchLiveness(socket: PingableSocket, clock: Clock): void {
  let heard = true;
  let cancel = clock.after(PING_EVERY, check);
  const hear = (): void => {
    heard = true;
  };
  socket.on('pong', hear);
  socket.on('ping', hear);
  socket.on('message', hear);
  socket.on('close', () => cancel());

  function check(): void {
    if (!heard) return socket.terminate();
    heard = false;
    socket.ping();
    cancel = clock.after(PING_EVERY, check);
  }
}
