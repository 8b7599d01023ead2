import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { errorFields, utf8, type Clock, type Log, type Rng } from '@ringfence/base';
import { withDeadline } from '../deadline.ts';
import {
  parseRelayMessage,
  proveListener,
  relayCloseReason,
  relayHostOf,
  watchLiveness,
  type RelayChallenge,
  type RelayCloseReason,
  type RelayTicket,
} from '../relay-protocol/index.ts';
import type { LinkIdentity } from './link-identity.ts';
import {
  LISTENER_START,
  stepListener,
  type ListenerCommand,
  type ListenerEvent,
  type ListenerState,
} from './listener-state.ts';
import { firstReconnectDelay } from './reconnect-delay.ts';
import { openRelaySocket, type RelayAccess } from './relay-socket.ts';
import { RequestSlots } from './request-slots.ts';
import { webSocketStream } from './web-socket-stream.ts';

/** How a party listens at a relay. */
export interface RelayListenerOptions {
  readonly access: RelayAccess;
  readonly identity: LinkIdentity;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Takes each accepted call as a raw byte stream, before any TLS. */
  readonly onStream: (stream: Duplex) => void;
  /** Told of each change; the last is `ended`. `replaced` means that someone else holds the same key. */
  readonly onState?: ((state: ListenerState) => void) | undefined;
  /** Milliseconds over which listeners spread when they come back (15 s). */
  readonly reconnectWithin?: number | undefined;
}

/** A listener at a relay, which comes back by itself whenever the connection is lost. */
export interface RelayListener {
  readonly state: ListenerState;
  close(): void;
}

const CONNECT_WITHIN = 10_000;
/** Calls being taken at one time; more wait in line. */
const ACCEPTING = 16;
/** A relay that rings more often than it may is not listened to. */
const MOST_CALLS = 256;

/** Listens at the relay for calls to `identity` until `close`, or until another process replaces it. */
export function listenAtRelay(options: RelayListenerOptions): RelayListener {
  return new Listener(options);
}

class Listener implements RelayListener {
  state: ListenerState = LISTENER_START;
  readonly #options: RelayListenerOptions;
  readonly #closing = new AbortController();
  #socket: WebSocket | undefined;
  #cancelWait = (): void => {};
  readonly #slots = new RequestSlots(ACCEPTING);
  #calls = 0;

  constructor(options: RelayListenerOptions) {
    this.#options = options;
    this.#run({ type: 'connect' });
  }

  close(): void {
    this.#apply({ type: 'close' });
    this.#closing.abort();
    this.#cancelWait();
  }

  #apply(event: ListenerEvent): void {
    const before = this.state;
    const { state, commands } = stepListener(before, event);
    this.state = state;
    if (state.phase !== before.phase) this.#tell(state);
    for (const command of commands) this.#run(command);
  }

  #tell(state: ListenerState): void {
    this.#options.log.info('relay-listener', { state: state.phase === 'ended' ? state.reason : state.phase });
    this.#options.onState?.(state);
  }

  #run(command: ListenerCommand): void {
    switch (command.type) {
      case 'connect':
        return void this.#connect();
      case 'prove':
        return this.#prove(command.challenge);
      case 'accept':
        return void this.#accept(command.ticket);
      case 'drop':
        return this.#socket?.terminate();
      case 'wait':
        this.#cancelWait = this.#options.clock.after(command.delay, () => this.#apply({ type: 'due' }));
    }
  }

  async #connect(): Promise<void> {
    const { access, clock, log } = this.#options;
    try {
      const socket = await withDeadline({ clock, within: CONNECT_WITHIN, signal: this.#closing.signal }, (signal) =>
        openRelaySocket({ access, request: { kind: 'listen' }, clock, signal }),
      );
      this.#watch(socket);
    } catch (error) {
      log.warn('relay-unreachable', errorFields(error));
      this.#lost();
    }
  }

  #watch(socket: WebSocket): void {
    this.#socket = socket;
    this.#apply({ type: 'opened' });
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? undefined : parseRelayMessage(data as Buffer);
      this.#apply({ type: 'message', message });
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => this.#lost(relayCloseReason(code)));
    watchLiveness(socket, this.#options.clock);
    socket.resume();
  }

  #lost(reason?: RelayCloseReason): void {
    this.#socket = undefined;
    const { rng, reconnectWithin } = this.#options;
    this.#apply({ type: 'lost', reason, firstDelay: firstReconnectDelay(rng, reconnectWithin) });
  }

  #prove(challenge: RelayChallenge): void {
    const host = relayHostOf(new URL(this.#options.access.relayUrl));
    this.#socket?.send(utf8(JSON.stringify(proveListener(this.#options.identity.key, { challenge, host }))), {
      binary: false,
    });
  }

  async #accept(ticket: RelayTicket): Promise<void> {
    if (this.#calls >= MOST_CALLS) return;
    this.#calls += 1;
    const release = await this.#slots.take();
    const { access, clock, log, onStream } = this.#options;
    try {
      const socket = await withDeadline({ clock, within: CONNECT_WITHIN, signal: this.#closing.signal }, (signal) =>
        openRelaySocket({ access, request: { kind: 'accept', ticket }, clock, signal }),
      );
      onStream(webSocketStream(socket));
    } catch (error) {
      log.warn('call-not-taken', errorFields(error));
    } finally {
      this.#calls -= 1;
      release();
    }
  }
}
