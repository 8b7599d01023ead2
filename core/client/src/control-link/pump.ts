import type { Clock } from '@ringfence/base';
import type { Spending } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import type { SendQueue } from './send-queue.ts';

/** What a pump moves, and how. */
export interface PumpSetup {
  readonly clock: Clock;
  readonly queue: SendQueue;
  /** Milliseconds until the budget pays. */
  readonly waitFor: (spending: Spending) => number;
  /** Seals and pays for a frame; `durably` when {@link PumpSetup.beforeSending} has to come before it leaves. */
  readonly seal: (message: Message, mid: number) => { bytes: Uint8Array; durably: boolean };
  readonly beforeSending: () => Promise<void>;
  /** False when the connection is over. */
  readonly send: (bytes: Uint8Array) => boolean;
  readonly onFailed: (error: unknown) => void;
}

/** Frames that one sync may precede. */
const MOST_AT_ONCE = 32;

/** Takes messages off a queue as the budget allows and sends them in the order in which they were sealed. */
export class Pump {
  readonly #setup: PumpSetup;
  #running = false;
  #again = false;
  #stopped = false;
  #cancelTimer: (() => void) | undefined;

  constructor(setup: PumpSetup) {
    this.#setup = setup;
  }

  /** There may be something to send. */
  run(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#drain().catch((error: unknown) => this.#setup.onFailed(error));
  }

  /** Nothing is sealed or sent any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        const { batch, durably } = this.#seal();
        if (durably) await this.#setup.beforeSending();
        for (const bytes of batch) if (this.#stopped || !this.#setup.send(bytes)) return;
      }
    } finally {
      // In the same step as the last look at #again: a later run() must find the pump idle.
      this.#running = false;
    }
  }

  #seal(): { batch: Uint8Array[]; durably: boolean } {
    this.#cancelTimer?.();
    const batch: Uint8Array[] = [];
    let durably = false;
    while (batch.length < MOST_AT_ONCE) {
      const step = this.#setup.queue.next(this.#setup.waitFor);
      if (step === undefined) return { batch, durably };
      if ('waitMs' in step) {
        this.#cancelTimer = this.#setup.clock.after(step.waitMs, () => this.run());
        return { batch, durably };
      }
      const sealed = this.#setup.seal(step.send.message, step.send.mid);
      batch.push(sealed.bytes);
      durably ||= sealed.durably;
    }
    this.#again = true;
    return { batch, durably };
  }
}
