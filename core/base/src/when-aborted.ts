/** Resolves when `signal` aborts, at once if it has; never when it never does. Keep `signal` no longer than what waits. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
