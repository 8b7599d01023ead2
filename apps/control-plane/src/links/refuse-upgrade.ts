import type { Duplex } from 'node:stream';
import type { Clock } from '@ringfence/base';

const WITHIN_MS = 2_000;

/** Answers an upgrade with 503 and when to dial again, in seconds; the socket is gone when the answer has left, or after two seconds. */
export function refuseUpgrade(socket: Duplex, clock: Clock, retryAfterS: number): void {
  socket.once(
    'close',
    clock.after(WITHIN_MS, () => socket.destroy()),
  );
  socket.end(
    `HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${retryAfterS}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
