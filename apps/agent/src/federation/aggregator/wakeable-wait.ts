import { sleep, type Clock } from '@ringfence/base';

/** A wait that what happens meanwhile can end early. */
export class WakeableWait {
  readonly #clock: Clock;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the wait that is on now, if one is. */
  wake(): void {
    this.#wake();
  }

  /** Returns after `delay` milliseconds, at {@link wake}, or when `signal` aborts. */
  async upTo(delay: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    this.#wake = () => over.abort();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    await sleep(this.#clock, delay, over.signal);
    signal.removeEventListener('abort', stop);
  }
}
