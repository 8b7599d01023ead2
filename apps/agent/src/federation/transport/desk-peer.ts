import { sleep, toHex, type AgentId, type Clock, type MonotonicMs, type Rng } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';

/** A client of a contract, by the key that the contract names. */
export interface NamedPeer {
  readonly agent: AgentId;
  readonly tls: TlsPublicKey;
}

/** A message that waits for its peer, by its place in the session. */
export interface WaitingMessage {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** What waits for one peer at most: who takes nothing is no part of a round. */
const MOST_WAITING = 1_024;

/** Messages of one peer that are read at once: more than one only when a link broke and its message comes again. */
const MOST_READING = 4;

/**
 * One client at the aggregator's desk. A session lasts from when the client's process says so to when it does so again, or this process ends;
 * in it each message arrives once and in order, however often links break.
 */
export class DeskPeer {
  readonly named: NamedPeer;
  readonly #clock: Clock;
  #session: string | undefined;
  #seenAt: MonotonicMs | undefined;
  #polls = 0;
  #reading = 0;
  #taken = 0;
  #pushed = 0;
  #waiting: WaitingMessage[] = [];
  #changed: () => void = () => {};

  constructor(named: NamedPeer, clock: Clock) {
    this.named = named;
    this.#clock = clock;
  }

  /** Whether it waits for a message, or asked for something in the last `within` milliseconds. */
  isPresent(within: number): boolean {
    if (this.#session === undefined || this.#seenAt === undefined) return false;
    return this.#polls > 0 || this.#clock.monotonic() - this.#seenAt <= within;
  }

  /** Begins a session, which ends the one before with all that it held; returns its name. */
  begin(rng: Rng): string {
    this.#session = toHex(rng.bytes(16));
    this.#taken = 0;
    this.#pushed = 0;
    this.#waiting = [];
    this.#changed();
    this.#see();
    return this.#session;
  }

  /** Whether `session` is the one under way; then the peer counts as seen. */
  holds(session: string): boolean {
    if (session !== this.#session) return false;
    this.#see();
    return true;
  }

  /** Keeps a message for it; one without a session, or that takes nothing, gets none: false, and its session is over. */
  push(bytes: Uint8Array): boolean {
    if (this.#session === undefined) return false;
    if (this.#waiting.length >= MOST_WAITING) {
      this.#session = undefined;
      this.#waiting = [];
      return false;
    }
    this.#pushed += 1;
    this.#waiting.push({ number: this.#pushed, bytes });
    this.#changed();
    return true;
  }

  /**
   * The oldest message after `after`, all before which have arrived; undefined when none comes within `wait` milliseconds, a newer poll takes over, or `gone` aborts:
   * its link has broken.
   */
  async next(after: number, wait: number, gone: AbortSignal): Promise<WaitingMessage | undefined> {
    this.#changed();
    this.#waiting = this.#waiting.filter(({ number }) => number > after);
    if (this.#waiting.length === 0) {
      const over = new AbortController();
      const stop = (): void => over.abort();
      this.#changed = stop;
      this.#polls += 1;
      await sleep(this.#clock, wait, AbortSignal.any([over.signal, gone]));
      this.#polls -= 1;
      if (this.#changed === stop) this.#changed = () => {};
    }
    return this.#waiting.find(({ number }) => number === after + 1);
  }

  /** Reads a message of the peer by `read`; undefined where it has too many under way. */
  async whileReading<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (this.#reading >= MOST_READING) return undefined;
    this.#reading += 1;
    return read().finally(() => {
      this.#reading -= 1;
    });
  }

  /** What to do with the peer's message of that `number`: take it, it came before, or one before it is missing. */
  judge(number: number): 'next' | 'known' | 'gap' {
    if (number <= this.#taken) return 'known';
    return number === this.#taken + 1 ? 'next' : 'gap';
  }

  /** The message judged `next` has been taken. */
  took(): void {
    this.#taken += 1;
  }

  #see(): void {
    this.#seenAt = this.#clock.monotonic();
  }
}
