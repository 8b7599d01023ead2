import { errorFields, randomBelow, sleep } from '@ringfence/base';
import { OPEN_BYTES } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import type { ControlPlaneKeys } from '@ringfence/protocol/statements';
import { ClientError } from '../error.ts';
import { holdBeats, type HeldBeats } from './beat-hold.ts';
import type { DurablePartyMessage } from './accept-link-options.ts';
import type { ControlLink, ControlLinkOptions, LinkState } from './control-link-options.ts';
import { dialRecorded } from './dial-control-plane.ts';
import { Inbox } from './inbox.ts';
import type { Fact } from './link-journal.ts';
import { writeLinkKeys } from './link-keys.ts';
import { PartyConnection, type ConnectionEnd } from './party-connection.ts';
import { busyDelay, FIRST_DELAY_MS, redialDelay } from './redial-delay.ts';
import { ServerBusy } from './server-busy.ts';

/** Bytes of a hello and an acknowledgement: what the budget has to hold beside the open frame before it pays to dial. */
const GREETING_BYTES = 4_096;

/** What one dial came to; after `renewed` the next one follows at once. */
type DialEnd = 'was-up' | 'renewed' | 'came-to-nothing' | 'locked' | 'final' | ServerBusy;

const LOOK_EVERY_MS = 20;
/** After how long, and up to twice that, a locked party asks whether it still is. */
const LOCKED_AGAIN_MS = 30_000;
const HANG_UP_WITHIN = 1_000;

/** A party's end of a control link; it does nothing before `start`. */
export function createControlLink(options: ControlLinkOptions): ControlLink {
  return new DialledLink(options);
}

class DialledLink implements ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #stopping = new AbortController();
  readonly #inbox: Inbox;
  #state: LinkState = 'idle';
  #keys: ControlPlaneKeys | undefined;
  #connection: PartyConnection | undefined;
  #held: HeldBeats = new Map();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#inbox = new Inbox(options.journal, {
      handle: ({ message, ...context }) => options.onMessage(message, context),
      onProcessed: (mid) => this.#connection?.onProcessed(mid),
      onFailed: (error) => this.#onHandlerFailed(error),
    });
    options.journal.listen(() => this.#connection?.onQueued());
  }

  get state(): LinkState {
    return this.#state;
  }

  get keys(): ControlPlaneKeys | undefined {
    return this.#keys;
  }

  start(): void {
    if (this.#state !== 'idle') return;
    const { journal, controlPlane, root, key } = this.#options;
    writeLinkKeys(journal.folder, { controlPlane, root, party: key.publicKey });
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#connection?.stop();
    await this.#running;
    await this.#inbox.idle();
    const { journal, clock } = this.#options;
    // The WebSocket is closed before its TCP connection is, whose bytes belong into the journal.
    const waited = new AbortController();
    await Promise.race([journal.hungUpAll(), sleep(clock, HANG_UP_WITHIN, waited.signal)]);
    waited.abort();
    if (this.#state === 'failed') return;
    await journal.sync();
    if (this.#state !== 'locked') this.#enter('stopped');
  }

  async told(within: number): Promise<void> {
    const { journal, clock } = this.#options;
    const until = clock.monotonic() + within;
    const isOpen = (): boolean => this.#state === 'up' && journal.state.unacknowledged.length > 0;
    while (isOpen() && clock.monotonic() < until) await sleep(clock, LOOK_EVERY_MS);
  }

  send(message: DurablePartyMessage): Promise<number> {
    return this.#options.journal.queue(message);
  }

  record(fact: Fact): Promise<void> {
    return this.#options.journal.fact(fact);
  }

  async #run(): Promise<void> {
    const { rng, firstDelayMs = FIRST_DELAY_MS } = this.#options;
    let failures = 0;
    let delay = 0;
    for (;;) {
      const end = await this.#attempt(delay);
      if (end === 'final') return;
      if (end === 'locked') {
        // Officers lift locks, and locks end: it asks again, slowly, and a moment of its own after the others of its site.
        delay = LOCKED_AGAIN_MS + randomBelow(rng, LOCKED_AGAIN_MS);
        continue;
      }
      if (end instanceof ServerBusy) {
        delay = busyDelay(end.retryAfterMs, firstDelayMs, rng);
        continue;
      }
      if (end === 'was-up') failures = 0;
      // Every party renews its connection at a moment of its own.
      delay = end === 'renewed' ? 0 : redialDelay(failures, firstDelayMs, rng);
      failures = end === 'renewed' ? 0 : failures + 1;
    }
  }

  /** Waits, dials, and stays until the connection ends. */
  async #attempt(delay: number): Promise<DialEnd> {
    const { clock, log, journal } = this.#options;
    const { signal } = this.#stopping;
    if (this.#state !== 'locked') this.#enter('waiting');
    const bytes = OPEN_BYTES + GREETING_BYTES;
    await sleep(clock, Math.max(delay, journal.waitFor({ bytes })), signal);
    if (signal.aborted) return 'final';
    if (this.#state !== 'locked') this.#enter('dialling');
    try {
      return this.#judge(await this.#connect(signal));
    } catch (error) {
      if (signal.aborted) return 'final';
      log.warn('control-link.unreachable', errorFields(error));
      if (error instanceof ServerBusy) return error;
      return 'came-to-nothing';
    }
  }

  async #connect(signal: AbortSignal): Promise<ConnectionEnd> {
    const options = this.#options;
    const { socket, dial } = await dialRecorded(options.journal, { ...options, signal });
    return new Promise((resolve) => {
      let ended = false;
      const connection = new PartyConnection({
        socket,
        dial,
        options,
        inbox: this.#inbox,
        heartbeat: () => this.#heartbeat(),
        onUp: (keys) => this.#onUp(keys),
        onEnd: (end) => {
          ended = true;
          this.#connection = undefined;
          resolve(end);
        },
      });
      if (!ended) this.#connection = connection;
      if (signal.aborted) connection.stop();
    });
  }

  #judge({ code, reason, wasUp, error }: ConnectionEnd): DialEnd {
    const { log } = this.#options;
    log.info('control-link.down', { code, ...(reason === undefined ? {} : { reason }) });
    if (error !== undefined) log.error('control-link.failed', errorFields(error));
    if (isJournalFailure(error)) this.#enter('failed');
    else if (reason === 'locked') this.#enter('locked');
    if (this.#state === 'failed' || this.#stopping.signal.aborted) return 'final';
    if (reason === 'locked') return 'locked';
    if (code === 'renewed') return 'renewed';
    return wasUp ? 'was-up' : 'came-to-nothing';
  }

  #onUp(keys: ControlPlaneKeys): void {
    this.#keys = keys;
    this.#options.log.info('control-link.up', { peer: keys.controlPlane });
    this.#enter('up');
  }

  #onHandlerFailed(error: unknown): void {
    if (this.#connection !== undefined) return this.#connection.onFailed(error);
    this.#options.log.error('control-link.failed', errorFields(error));
    if (isJournalFailure(error)) this.#enter('failed');
  }

  #heartbeat(): Message {
    const { clock, heartbeat } = this.#options;
    const { held, attempts } = holdBeats(this.#held, heartbeat().attempts, clock.monotonic());
    this.#held = held;
    return { name: 'heartbeat', body: { attempts } };
  }

  #enter(state: LinkState): void {
    if (this.#state === state || this.#state === 'failed') return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function isJournalFailure(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'journal-failed';
}
