import type { MonotonicMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { ControlPlaneKeys } from '@ringfence/protocol/statements';
import type { ControlPlaneMessage } from './control-link-options.ts';
import type { Fact, LinkJournal } from './link-journal.ts';

/** A message that waits for the party's handler. */
export interface Arrival {
  readonly message: ControlPlaneMessage;
  /** 0 for a transient message. */
  readonly mid: number;
  readonly sentAt: MonotonicMs | undefined;
  readonly keys: ControlPlaneKeys;
  readonly keysEnvelope: Envelope;
}

/** What an inbox needs of its link. */
export interface InboxEvents {
  readonly handle: (arrival: Arrival) => Promise<Fact | undefined>;
  /** A message is processed; a durable one (`mid` above 0) is to be acknowledged. */
  readonly onProcessed: (mid: number) => void;
  /** The handler or the journal refused; what waited behind is dropped and has to come again. */
  readonly onFailed: (error: unknown) => void;
}

/** Hands messages of one link to its handler, one at a time and across connections; marks what is processed. */
export class Inbox {
  readonly #journal: LinkJournal;
  readonly #events: InboxEvents;
  #arrived: number;
  #processed: number;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #generation = 0;

  constructor(journal: LinkJournal, events: InboxEvents) {
    this.#journal = journal;
    this.#events = events;
    this.#arrived = journal.state.received;
    this.#processed = journal.state.received;
  }

  /** Highest id of a durable message that is processed. */
  get processed(): number {
    return this.#processed;
  }

  /** How many messages wait behind the one that is being handled. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether a durable message is the next one, known already, or too far ahead. */
  judge(mid: number): 'next' | 'known' | 'gap' {
    if (mid <= this.#arrived) return 'known';
    return mid === this.#arrived + 1 ? 'next' : 'gap';
  }

  /** Queues a message that is transient or `next`. */
  take(arrival: Arrival): void {
    if (arrival.mid > 0) this.#arrived = arrival.mid;
    this.#waiting += 1;
    const generation = this.#generation;
    this.#tail = this.#tail.then(async () => {
      this.#waiting -= 1;
      if (generation === this.#generation) await this.#process(arrival);
    });
  }

  /** Resolves when no handler runs and nothing waits. */
  idle(): Promise<void> {
    return this.#tail;
  }

  async #process(arrival: Arrival): Promise<void> {
    try {
      const fact = await this.#events.handle(arrival);
      if (fact !== undefined) await this.#journal.fact(fact, arrival.mid === 0 ? undefined : arrival.mid);
      if (arrival.mid > 0) this.#processed = arrival.mid;
      this.#events.onProcessed(arrival.mid);
    } catch (error) {
      this.#generation += 1;
      this.#arrived = this.#processed;
      this.#events.onFailed(error);
    }
  }
}
