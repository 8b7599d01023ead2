import type { Clock } from '@ringfence/base';
import { ClientError } from './error.ts';

/** How long something may take, and who may end it sooner. */
export interface Deadline {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `run` until it settles, the time is over (ClientError `timed-out`) or the caller's signal aborts (`aborted`).
 * `run` frees what it opened when the signal that it is given aborts; its reason is the error.
 */
export async function withDeadline<T>(deadline: Deadline, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new ClientError('aborted', 'the caller ended the attempt'));
  const cancel = deadline.clock.after(deadline.within, () =>
    controller.abort(
      new ClientError('timed-out', `nothing answered within ${deadline.within} ms`, {
        next: 'check that the other side runs and that no firewall swallows the connection',
      }),
    ),
  );
  if (deadline.signal?.aborted === true) abort();
  deadline.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([rejectOnAbort(controller.signal), run(controller.signal)]);
  } finally {
    cancel();
    deadline.signal?.removeEventListener('abort', abort);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
