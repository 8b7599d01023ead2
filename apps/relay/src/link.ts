import { WebSocket } from 'ws';
import type { Clock } from '@ringfence/base';
import { RELAY_CLOSE, type RelayCloseReason } from '@ringfence/client/relay-protocol';
import { FRESH_SPLICE, stepSplice, type End, type SpliceCommand, type SpliceEvent } from './splice.ts';

/** Two WebSockets to join, and who wants to know what passes. */
export interface LinkOptions {
  readonly caller: WebSocket;
  readonly taker: WebSocket;
  readonly clock: Clock;
  /** Milliseconds without a byte after which the link is closed. */
  readonly idleWithin: number;
  readonly onBytes: (bytes: number) => void;
  /** Told once, with the bytes that went both ways together. */
  readonly onClosed: (reason: RelayCloseReason, bytes: number) => void;
}

/** Joins two paused WebSockets: from now on each message of one goes to the other, unread. */
export function joinSockets(options: LinkOptions): void {
  new Link(options);
}

class Link {
  readonly #options: LinkOptions;
  #splice = FRESH_SPLICE;
  #bytes = 0;
  #bytesAtLastCheck = -1;
  #cancelIdle: () => void;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#cancelIdle = options.clock.after(options.idleWithin, () => this.#checkIdle());
    for (const end of ['caller', 'taker'] as const) {
      options[end].on('message', (data, isBinary) => this.#take(end, data as Buffer, isBinary));
      options[end].on('close', () => this.#step({ type: 'closed', end }));
    }
    options.caller.resume();
    options.taker.resume();
  }

  #take(from: End, message: Buffer, isBinary: boolean): void {
    this.#bytes += message.length;
    this.#options.onBytes(message.length);
    this.#step({ type: 'message', from, bytes: message.length, isBinary }, message);
  }

  #step(event: SpliceEvent, message?: Buffer): void {
    const before = this.#splice;
    const { splice, commands } = stepSplice(before, event);
    this.#splice = splice;
    for (const command of commands) this.#run(command, message);
    if (before.closed || !splice.closed) return;
    this.#cancelIdle();
    const last = commands.find((command) => command.type === 'close');
    this.#options.onClosed(last?.reason ?? 'done', this.#bytes);
  }

  #run(command: SpliceCommand, message: Buffer | undefined): void {
    switch (command.type) {
      case 'forward':
        return this.#forward(command.to, message ?? Buffer.alloc(0));
      case 'pause':
        return this.#options[command.end].pause();
      case 'resume':
        return this.#options[command.end].resume();
      case 'close':
        return this.#close(command.end, command.reason);
    }
  }

  #forward(to: End, message: Buffer): void {
    this.#options[to].send(message, { binary: true }, () => this.#step({ type: 'flushed', to, bytes: message.length }));
  }

  /** What was forwarded before still goes out; a paused socket would not see the answer to the close frame. */
  #close(end: End, reason: RelayCloseReason): void {
    const socket = this.#options[end];
    socket.close(RELAY_CLOSE[reason], reason);
    if (socket.readyState === WebSocket.CLOSING) socket.resume();
  }

  #checkIdle(): void {
    if (this.#bytes === this.#bytesAtLastCheck) return this.#step({ type: 'idle' });
    this.#bytesAtLastCheck = this.#bytes;
    this.#cancelIdle = this.#options.clock.after(this.#options.idleWithin, () => this.#checkIdle());
  }
}
