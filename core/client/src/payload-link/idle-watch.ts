import type { Socket } from 'node:net';
import type { Clock } from '@ringfence/base';

/** The part of a socket that shows progress. */
export type CountingSocket = Pick<Socket, 'bytesRead' | 'bytesWritten'>;

/**
 * Calls `idle` once when no byte went either way for `within` to 2 × `within` milliseconds, waiting for a socket
 * included. The returned functions name the socket and end the watch.
 */
export function watchIdle(
  clock: Clock,
  within: number,
  idle: () => void,
): { on: (socket: CountingSocket) => void; stop: () => void } {
  let socket: CountingSocket | undefined;
  let before = -1;
  let cancel = clock.after(within, check);
  return {
    on: (opened) => {
      socket = opened;
    },
    stop: () => cancel(),
  };

  function check(): void {
    const moved = socket === undefined ? 0 : socket.bytesRead + socket.bytesWritten;
    if (moved === before) return idle();
    before = moved;
    cancel = clock.after(within, check);
  }
}
