import { errorFields, randomBelow, sleep, type Clock, type Log, type Rng } from '@ringfence/base';
import pg from 'pg';
import { StoreError } from '../store-error.ts';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
/** A connection that is silently dead is noticed within this time plus the client's time-out. */
const PROBE_MS = 15_000;
const DEFAULT_TICK_MS = 5_000;

/**
 * Why a subscriber should look again. `notify`: somebody said so. `connected`: notifications before this moment may be lost. `tick`:
 * time has passed, whether or not anything was heard.
 */
export type Wake = { readonly reason: 'notify'; readonly payload: string } | { readonly reason: 'connected' | 'tick' };

/** Ends a subscription. */
export interface Subscription {
  close(): void;
}

interface Subscriber {
  readonly channel: string;
  readonly onWake: (wake: Wake) => void;
}

/** The name of a channel of a schema: channels belong to the whole database. Throws `bad-options`. */
export function channelName(schema: string, channel: string): string {
  if (/^[a-z][a-z0-9_-]{0,20}$/.test(channel)) return `${schema}.${channel}`;
  throw new StoreError('bad-options', 'a channel name is 1-21 of a-z, 0-9, _ and -');
}

/** One connection that listens for all subscribers, made anew whenever it breaks; ticks go on without it. */
export class Listener {
  readonly #parts: { readonly config: pg.ClientConfig; readonly clock: Clock; readonly rng: Rng; readonly log: Log };
  readonly #subscribers = new Set<Subscriber>();
  readonly #closing = new AbortController();
  #loop: Promise<void> | undefined;
  #client: pg.Client | undefined;

  constructor(parts: {
    readonly config: pg.ClientConfig;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  }) {
    this.#parts = parts;
  }

  /** `channel` is a result of {@link channelName}; ticks come every `tickMs` milliseconds (default 5,000). */
  listen(channel: string, onWake: (wake: Wake) => void, tickMs: number = DEFAULT_TICK_MS): Subscription {
    const subscriber = { channel, onWake };
    const ended = new AbortController();
    this.#subscribers.add(subscriber);
    void this.#tick(subscriber, tickMs, AbortSignal.any([ended.signal, this.#closing.signal]));
    this.#loop ??= this.#stayConnected();
    if (this.#client !== undefined) void this.#subscribe(this.#client, [subscriber]);
    return {
      close: () => {
        ended.abort();
        this.#subscribers.delete(subscriber);
      },
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#subscribers.clear();
    await this.#loop;
  }

  async #tick(subscriber: Subscriber, tickMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#parts.clock, tickMs, signal);
      if (!signal.aborted) this.#wake(subscriber, { reason: 'tick' });
    }
  }

  /** Ends only when the listener is closed. */
  async #stayConnected(): Promise<void> {
    const { clock, rng } = this.#parts;
    let wait = FIRST_RETRY_MS;
    while (!this.#closing.signal.aborted) {
      const since = clock.monotonic();
      await this.#listenUntilBroken();
      if (clock.monotonic() - since > LONGEST_RETRY_MS) wait = FIRST_RETRY_MS;
      await sleep(clock, wait / 2 + randomBelow(rng, wait), this.#closing.signal);
      wait = Math.min(wait * 2, LONGEST_RETRY_MS);
    }
  }

  async #listenUntilBroken(): Promise<void> {
    const client = new pg.Client(this.#parts.config);
    const broken = new AbortController();
    client.on('error', () => broken.abort()).on('end', () => broken.abort());
    client.on('notification', ({ channel, payload }) => this.#spread(channel, payload ?? ''));
    try {
      await client.connect();
      this.#client = client;
      await this.#subscribe(client, [...this.#subscribers]);
      const until = AbortSignal.any([broken.signal, this.#closing.signal]);
      while (!until.aborted) {
        await sleep(this.#parts.clock, PROBE_MS, until);
        if (!until.aborted) await client.query('select 1');
      }
    } catch (error) {
      this.#parts.log.debug('database.listener_lost', errorFields(error));
    } finally {
      this.#client = undefined;
      await client.end().catch(() => {});
    }
  }

  async #subscribe(client: pg.Client, subscribers: readonly Subscriber[]): Promise<void> {
    try {
      for (const channel of new Set(subscribers.map((subscriber) => subscriber.channel)))
        await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      for (const subscriber of subscribers) this.#wake(subscriber, { reason: 'connected' });
    } catch (error) {
      // The connection broke: the loop makes another one and subscribes all.
      this.#parts.log.debug('database.listener_lost', errorFields(error));
    }
  }

  #spread(channel: string, payload: string): void {
    for (const subscriber of this.#subscribers)
      if (subscriber.channel === channel) this.#wake(subscriber, { reason: 'notify', payload });
  }

  #wake(subscriber: Subscriber, wake: Wake): void {
    if (!this.#subscribers.has(subscriber)) return;
    try {
      subscriber.onWake(wake);
    } catch (error) {
      this.#parts.log.error('database.subscriber_failed', errorFields(error));
    }
  }
}
