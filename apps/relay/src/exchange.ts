import { WebSocket } from 'ws';
import type { Clock, Log, Rng } from '@ringfence/base';
import {
  newRelayChallenge,
  newRelayTicket,
  parseListenProof,
  RELAY_CLOSE,
  shortAddress,
  watchLiveness,
  type RelayAddress,
  type RelayCloseReason,
  type RelayRequest,
} from '@ringfence/client/relay-protocol';
import type { RelayLimits } from './limits.ts';
import { joinSockets } from './link.ts';
import type { RelayMetrics } from './metrics.ts';
import { Switchboard, type Connection, type SwitchboardCommand, type SwitchboardEvent } from './switchboard.ts';

/** What an exchange is made of. */
export interface ExchangeOptions {
  readonly limits: RelayLimits;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly metrics: RelayMetrics;
}

const TICK_EVERY = 1_000;

/** Carries out what the {@link Switchboard} decides on real WebSockets. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #board: Switchboard;
  readonly #sockets = new Map<Connection, WebSocket>();
  #next: Connection = 1;
  #cancelTick: () => void;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#board = new Switchboard(options.limits);
    this.#cancelTick = options.clock.after(TICK_EVERY, () => this.#tick());
  }

  /** Takes a WebSocket that asks for `request`; `host` is what it calls this relay. */
  take(socket: WebSocket, request: RelayRequest, host: string): void {
    const from = this.#next++;
    this.#sockets.set(from, socket);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#sockets.delete(from);
      this.#step({ type: 'gone', from });
    });
    if (request.kind === 'listen') this.#listen(from, socket, host);
    else this.#call(from, socket, request);
  }

  /** Closes all connections, waiting ones and joined ones; they are told to come back. */
  close(): void {
    this.#cancelTick();
    for (const socket of this.#sockets.values()) close(socket, 'restarting');
  }

  /** Drops the connections that did not finish closing. */
  terminate(): void {
    for (const socket of this.#sockets.values()) socket.terminate();
  }

  /** How many WebSockets are open. */
  get size(): number {
    return this.#sockets.size;
  }

  #listen(from: Connection, socket: WebSocket, host: string): void {
    const { clock, rng } = this.#options;
    socket.on('message', (data, isBinary) =>
      this.#step({ type: 'proof', from, proof: isBinary ? undefined : parseListenProof(data as Buffer) }),
    );
    watchLiveness(socket, clock);
    const occasion = { challenge: newRelayChallenge(rng), host };
    this.#step({ type: 'listen', from, occasion, now: clock.monotonic() });
  }

  /** Nothing is read from either side of a call before it is joined. */
  #call(from: Connection, socket: WebSocket, request: Exclude<RelayRequest, { kind: 'listen' }>): void {
    socket.pause();
    const now = this.#options.clock.monotonic();
    if (request.kind === 'accept') this.#step({ type: 'accept', from, ticket: request.ticket, now });
    else this.#step({ type: 'dial', from, address: request.address, ticket: newRelayTicket(this.#options.rng), now });
  }

  #tick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_EVERY, () => this.#tick());
    this.#step({ type: 'tick', now: this.#options.clock.monotonic() });
  }

  #step(event: SwitchboardEvent): void {
    for (const command of this.#board.step(event)) this.#run(command);
    this.#options.metrics.show(this.#board.counts);
  }

  #run(command: SwitchboardCommand): void {
    switch (command.type) {
      case 'send':
        return this.#sockets.get(command.to)?.send(JSON.stringify(command.message));
      case 'close':
        return this.#close(command.to, command.reason);
      case 'join':
        return this.#join(command.caller, command.taker, command.address);
    }
  }

  #close(to: Connection, reason: RelayCloseReason): void {
    this.#options.metrics.refused(reason);
    this.#options.log.debug('closed', { reason });
    const socket = this.#sockets.get(to);
    if (socket !== undefined) close(socket, reason);
  }

  #join(callerId: Connection, takerId: Connection, address: RelayAddress): void {
    const [caller, taker] = [this.#sockets.get(callerId), this.#sockets.get(takerId)];
    if (caller === undefined || taker === undefined) return;
    const { clock, limits, log, metrics } = this.#options;
    const peer = shortAddress(address);
    const started = clock.monotonic();
    log.info('link-up', { peer });
    joinSockets({
      caller,
      taker,
      clock,
      idleWithin: limits.idleWithin,
      onBytes: (bytes) => metrics.forwarded(bytes),
      onClosed: (reason, bytes) =>
        log.info('link-down', { peer, reason, bytes, duration_ms: Math.round(clock.monotonic() - started) }),
    });
  }
}

/** A paused socket would not see the other end's answer to the close frame. */
function close(socket: WebSocket, reason: RelayCloseReason): void {
  socket.close(RELAY_CLOSE[reason], reason);
  if (socket.readyState === WebSocket.CLOSING) socket.resume();
}
