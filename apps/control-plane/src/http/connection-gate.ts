import type { Server, Socket } from 'node:net';
import { clientNetwork, type Clock } from '@ringfence/base';

/** Handshakes of TLS that are begun a second, and at once after a pause: a third of a core. */
const PER_SECOND = 200;
const AT_ONCE = 100;
/** Connections that wait for theirs: a site's agents share an address, and dial at once when a control plane comes back. */
const MOST_WAITING = { inAll: 4_096, eachNetwork: 512 } as const;
const LONGEST_WAIT_MS = 5_000;

interface Waiting {
  readonly socket: Pick<Socket, 'destroy' | 'destroyed'>;
  readonly since: number;
}

/**
 * Lets connections begin their handshakes at a bounded rate, each network (an IPv4 address, an IPv6 /64) in its turn: handshakes are what a stranger
 * makes this process work hardest for, and a network that opens many waits for itself alone.
 */
export class ConnectionGate {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting[]>();
  #count = 0;
  #tokens: number = AT_ONCE;
  #filledAt: number;
  #cancel: (() => void) | undefined;
  readonly #pass: (socket: Socket) => void;

  constructor(clock: Clock, pass: (socket: Socket) => void) {
    this.#clock = clock;
    this.#pass = pass;
    this.#filledAt = clock.monotonic();
  }

  /** How many wait. */
  get waiting(): number {
    return this.#count;
  }

  /** Passes a connection on when its turn comes, or ends it when too many wait. */
  take(socket: Socket): void {
    const network = clientNetwork(socket.remoteAddress ?? '');
    const line = this.#waiting.get(network) ?? [];
    if (line.length >= MOST_WAITING.eachNetwork) return void socket.destroy();
    if (this.#count >= MOST_WAITING.inAll && !this.#makeRoom(line.length)) return void socket.destroy();
    line.push({ socket, since: this.#clock.monotonic() });
    this.#waiting.set(network, line);
    this.#count += 1;
    this.#work();
  }

  /** Ends whoever still waits. */
  close(): void {
    this.#cancel?.();
    for (const line of this.#waiting.values()) for (const { socket } of line) socket.destroy();
    this.#waiting.clear();
    this.#count = 0;
  }

  /** When all places are taken, whoever has the most of them gives one up; false where nobody has more than who comes. */
  #makeRoom(than: number): boolean {
    let longest: Waiting[] | undefined;
    for (const line of this.#waiting.values()) if (line.length > (longest?.length ?? than + 1)) longest = line;
    const newest = longest?.pop();
    if (newest === undefined) return false;
    this.#count -= 1;
    newest.socket.destroy();
    return true;
  }

  #work(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#fill();
    while (this.#tokens >= 1) {
      const next = this.#next();
      if (next === undefined) return;
      this.#tokens -= 1;
      this.#pass(next as Socket);
    }
    if (this.#count > 0) this.#cancel = this.#clock.after(Math.ceil(1_000 / PER_SECOND), () => this.#work());
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(AT_ONCE, this.#tokens + ((now - this.#filledAt) * PER_SECOND) / 1_000);
    this.#filledAt = now;
  }

  /** The oldest connection of the network whose turn it is; the network goes to the end of the round. */
  #next(): Waiting['socket'] | undefined {
    for (const [network, line] of this.#waiting) {
      this.#waiting.delete(network);
      const first = line.shift();
      if (first !== undefined) this.#count -= 1;
      if (line.length > 0) this.#waiting.set(network, line);
      if (first === undefined || first.socket.destroyed) continue;
      if (this.#clock.monotonic() - first.since > LONGEST_WAIT_MS) first.socket.destroy();
      else return first.socket;
    }
    return undefined;
  }
}

/** Puts a gate before a TLS server's own handling of connections. */
export function gateConnections(server: Server, clock: Clock): ConnectionGate {
  const begin = server.listeners('connection');
  server.removeAllListeners('connection');
  const gate = new ConnectionGate(clock, (socket) => {
    for (const listener of begin) listener.call(server, socket);
  });
  server.on('connection', (socket: Socket) => {
    // Who waits may go away, with an error that nobody else hears.
    socket.on('error', () => socket.destroy());
    gate.take(socket);
  });
  return gate;
}
