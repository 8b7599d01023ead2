import { BUDGET_RESERVE, frameBytesOf, type Spending } from '@ringfence/protocol/frames';
import { MESSAGES, type Message } from '@ringfence/protocol/messages';

/** One for each size that the other side may hold. */
const MOST_SHOWN = 8;

/** A message and its id; 0 for a transient one. */
export interface Outgoing {
  readonly message: Message;
  readonly mid: number;
}

/** What a side may do next: send this, wait so many milliseconds for the budget, or nothing. */
export type NextStep = { readonly send: Outgoing } | { readonly waitMs: number } | undefined;

/**
 * What one side of a connection still has to send. Session messages go first, then the newest acknowledgement, then
 * durable messages in order, then the newest heartbeat or renewal, then checkpoints of a log; these leave {@link BUDGET_RESERVE} bytes to the rest.
 */
export class SendQueue {
  readonly #session: Message[] = [];
  #acknowledge: (() => Message) | undefined;
  #durable: Outgoing[] = [];
  #beat: Message | undefined;
  readonly #shown: Message[] = [];
  #open = false;

  /** A hello, welcome or goodbye. */
  session(message: Message): void {
    this.#session.push(message);
  }

  /** From now on everything else may follow. */
  open(): void {
    this.#open = true;
  }

  /** Nothing but session messages leaves any more. */
  shut(): void {
    this.#open = false;
  }

  /** An acknowledgement is due; `build` is called when it leaves and tells how far. */
  acknowledge(build: () => Message): void {
    this.#acknowledge = build;
  }

  /** A durable message; ids go up by one. */
  durable(outgoing: Outgoing): void {
    this.#durable.push(outgoing);
  }

  /** A heartbeat or renewal, in place of one that has not left. */
  beat(message: Message): void {
    this.#beat = message;
  }

  /** A checkpoint of a log: it waits for everything else, and some are dropped rather than many kept. */
  show(message: Message): void {
    if (this.#shown.length < MOST_SHOWN) this.#shown.push(message);
  }

  /** The next message that the budget pays for, taken off; `waitFor` tells milliseconds until a frame is paid for. */
  next(waitFor: (spending: Spending) => number): NextStep {
    const waits: number[] = [];
    for (const candidate of this.#candidates()) {
      const wait = waitFor(candidate.cost());
      if (wait === 0) return { send: candidate.take() };
      waits.push(wait);
    }
    return waits.length === 0 ? undefined : { waitMs: Math.min(...waits) };
  }

  *#candidates(): Generator<{ cost: () => Spending; take: () => Outgoing }> {
    const [session] = this.#session;
    if (session !== undefined) {
      yield { cost: () => costOf(session, 0), take: () => ({ message: this.#session.shift() ?? session, mid: 0 }) };
      return;
    }
    if (!this.#open) return;
    const build = this.#acknowledge;
    if (build !== undefined) yield { cost: () => costOf(build(), 0), take: () => this.#takeAcknowledgement(build) };
    const [durable] = this.#durable;
    if (durable !== undefined)
      yield { cost: () => costOf(durable.message, 0), take: () => this.#durable.shift() ?? durable };
    const beat = this.#beat;
    if (beat !== undefined) yield { cost: () => costOf(beat, BUDGET_RESERVE), take: () => this.#takeBeat(beat) };
    const [shown] = this.#shown;
    if (shown !== undefined)
      yield {
        cost: () => costOf(shown, BUDGET_RESERVE),
        take: () => ({ message: this.#shown.shift() ?? shown, mid: 0 }),
      };
  }

  #takeAcknowledgement(build: () => Message): Outgoing {
    this.#acknowledge = undefined;
    return { message: build(), mid: 0 };
  }

  #takeBeat(beat: Message): Outgoing {
    this.#beat = undefined;
    return { message: beat, mid: 0 };
  }
}

function costOf(message: Message, reserve: number): Spending {
  return { bytes: frameBytesOf(message), transition: MESSAGES[message.name].transition, reserve };
}
