import { errorFields, type Clock, type Log } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';

type Offer = MessageBody<'offer'>;

/** What keeps an offer true needs of its link. */
export interface OfferKeeperOptions {
  /** The offer as it would be now; undefined when there is nothing to offer. */
  readonly offer: (epoch: number) => Offer | undefined;
  /** Number of the next offer: higher than any before. */
  readonly nextEpoch: () => number;
  /** Journals the offer and queues it. */
  readonly send: (offer: Offer) => Promise<void>;
  /** Whether the disk has less room than its reserve. */
  readonly isFull: () => boolean;
  /** Whether what admitted the machine has ended. */
  readonly isOver: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_EVERY_MS = 5_000;

/** Offers the machine at the start, and anew when its disk becomes full or has room again, or when its admission ends. */
export class OfferKeeper {
  readonly #options: OfferKeeperOptions;
  #full = false;
  #over = false;
  #epoch = 0;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(options: OfferKeeperOptions) {
    this.#options = options;
  }

  /** Sends the first offer; false when there is nothing to offer. */
  async start(): Promise<boolean> {
    const offered = await this.#send();
    if (offered) this.#lookLater();
    return offered;
  }

  /** Looks no more. A machine that may be taken away at any time is on its way: what it ran is not to come back to it. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    if (this.#epoch === 0) return;
    const body = this.#next();
    if (body?.spot !== true) return;
    await this.#options
      .send({ ...body, diskBytes: 0 })
      .catch((error: unknown) => this.#options.log.warn('offer.not-withdrawn', errorFields(error)));
  }

  async #send(): Promise<boolean> {
    const { send, isFull, isOver } = this.#options;
    this.#full = isFull();
    this.#over = isOver();
    const body = this.#next();
    if (body !== undefined) await send(body);
    return body !== undefined;
  }

  #next(): Offer | undefined {
    this.#epoch = Math.max(this.#options.nextEpoch(), this.#epoch + 1);
    return this.#options.offer(this.#epoch);
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => void this.#look().finally(() => this.#lookLater()));
  }

  async #look(): Promise<void> {
    const { isFull, isOver, log } = this.#options;
    try {
      const full = isFull();
      const over = isOver();
      if (full === this.#full && over === this.#over) return;
      const next = 'this machine takes no new work: `ringfence agent renew` brings new papers';
      if (over && !this.#over) log.warn('admission.ended', { next });
      if (full && !this.#full)
        log.warn('disk.full', { next: 'free some disk: this machine takes no new work until there is room' });
      if (!full && this.#full) log.info('disk.room');
      await this.#send();
    } catch (error) {
      log.warn('offer.not-renewed', errorFields(error));
    }
  }
}
