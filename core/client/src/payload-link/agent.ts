import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { dialPayload, type DialOptions } from './dial.ts';
import { RequestSlots } from './request-slots.ts';

const LINKS = 4;
const IDLE_LINKS = 2;
const IDLE_FOR = 50_000;

/** A dial, and how its links are shared. */
export interface PayloadAgentOptions extends DialOptions {
  /** How many requests may be under way at a time (4). */
  readonly links?: number;
  /** A link that is older than so many milliseconds takes no further request, as where the certificate that opened it ends; none without it. */
  readonly renewAfter?: number;
}

/**
 * An HTTP agent whose connections are payload links to one party: requests share links that stay open for 50 s, and at
 * most `links` are under way at a time when they go through `requestPayload` or `streamPayload`. `destroy()` closes
 * all; a process ends only after that.
 */
export function payloadAgent(options: PayloadAgentOptions): PayloadAgent {
  return new PayloadAgent(options);
}

/** See {@link payloadAgent}. */
export class PayloadAgent extends Agent {
  /** Places for requests; Node's own limit loses requests that wait while a dial fails. */
  readonly slots: RequestSlots;
  readonly dial: DialOptions;
  readonly #renewAfter: number;
  /** When each link was opened, by the monotonic clock. */
  readonly #opened = new WeakMap<Duplex, number>();
  readonly #destroyed = new AbortController();

  constructor(options: PayloadAgentOptions) {
    super({ keepAlive: true, maxFreeSockets: IDLE_LINKS, timeout: IDLE_FOR, scheduling: 'lifo' });
    this.dial = options;
    this.#renewAfter = options.renewAfter ?? Infinity;
    this.slots = new RequestSlots(options.links ?? LINKS);
  }

  override createConnection(
    _: ClientRequestArgs,
    created?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const signals = [this.#destroyed.signal, ...(this.dial.signal === undefined ? [] : [this.dial.signal])];
    dialPayload({ ...this.dial, signal: AbortSignal.any(signals) }).then(
      (socket) => {
        this.#opened.set(socket, this.dial.clock.monotonic());
        created?.(null, socket);
      },
      (error: Error) => (created as ((error: Error) => void) | undefined)?.(error),
    );
    return undefined;
  }

  /** Node asks it when a request has ended; without a yes it closes the link. Its types leave the answer out. */
  override keepSocketAlive(socket: Duplex): boolean {
    const opened = this.#opened.get(socket);
    if (opened !== undefined && this.dial.clock.monotonic() - opened >= this.#renewAfter) return false;
    return super.keepSocketAlive(socket) as unknown as boolean;
  }

  override destroy(): void {
    this.#destroyed.abort();
    super.destroy();
  }
}
