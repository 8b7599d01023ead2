import type { IncomingMessage } from 'node:http';
import type { Clock } from '@ringfence/base';

/** For what a request says before it is acted on. */
const READ_WITHIN_MS = 10_000;

/**
 * What `read` reads of a request; whoever sends it too slowly is cut off. The server's own limit is on silence alone, which one byte a minute
 * breaks.
 */
export async function readWithin<T>(request: IncomingMessage, clock: Clock, read: Promise<T>): Promise<T> {
  const cancel = clock.after(READ_WITHIN_MS, () => request.destroy());
  try {
    return await read;
  } finally {
    cancel();
  }
}
