import type { Socket } from 'node:net';
import { clientNetwork } from '@ringfence/base';

/** Counts open sockets per client network; who opens too many is cut before TLS costs anything. */
export class ConnectionCap {
  readonly #most: number;
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts `socket` until it closes, or destroys it; `changed` is told of the number that are open. */
  take(socket: Socket, changed: (total: number) => void): boolean {
    const network = clientNetwork(socket.remoteAddress ?? '');
    const open = this.#open.get(network) ?? 0;
    if (open >= this.#most) {
      socket.destroy();
      return false;
    }
    this.#open.set(network, open + 1);
    changed((this.#total += 1));
    socket.once('close', () => {
      const left = (this.#open.get(network) ?? 1) - 1;
      if (left > 0) this.#open.set(network, left);
      else this.#open.delete(network);
      changed((this.#total -= 1));
    });
    return true;
  }
}
