import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { dialPayload, type DialOptions } from './dial.ts';
import { RequestSlots } from './request-slots.ts';

const LINKS = 4;
const IDLE_LINKS = 2;
const IDLE_FOR = 50_000;

/**
 * An HTTP agent whose connections are payload links to one party: requests share links that stay open for 50 s, and at
 * most `links` (4) are under way at a time when they go through `requestPayload` or `streamPayload`. `destroy()` closes
 * all; a process ends only after that.
 */
export function payloadAgent(options: DialOptions & { links?: number }): PayloadAgent {
  return new PayloadAgent(options);
}

/** See {@link payloadAgent}. */
export class PayloadAgent extends Agent {
  /** Places for requests; Node's own limit loses requests that wait while a dial fails. */
  readonly slots: RequestSlots;
  readonly dial: DialOptions;
  readonly #destroyed = new AbortController();

  constructor(options: DialOptions & { links?: number }) {
    super({ keepAlive: true, maxFreeSockets: IDLE_LINKS, timeout: IDLE_FOR, scheduling: 'lifo' });
    this.dial = options;
    this.slots = new RequestSlots(options.links ?? LINKS);
  }

  override createConnection(
    _: ClientRequestArgs,
    created?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const signals = [this.#destroyed.signal, ...(this.dial.signal === undefined ? [] : [this.dial.signal])];
    dialPayload({ ...this.dial, signal: AbortSignal.any(signals) }).then(
      (socket) => created?.(null, socket),
      (error: Error) => (created as ((error: Error) => void) | undefined)?.(error),
    );
    return undefined;
  }

  override destroy(): void {
    this.#destroyed.abort();
    super.destroy();
  }
}
