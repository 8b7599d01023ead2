import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { sleep, type Clock, type EpochMs } from '@ringfence/base';
import type { Sensitivity } from '@ringfence/protocol';
import type { Readiness, ServiceSpec } from '@ringfence/protocol/payload';
import type { AttemptId } from '../attempt/attempt-machine.ts';
import { forward, type Forwarded, type Onlooker, type Outgoing } from './forward.ts';
import { ReplicaConnections } from './replica-connections.ts';
import { untilReady, type Probed } from './probe.ts';
import type { ReplicaReporter } from './replica-reporter.ts';

/** A `serve` attempt that runs here. */
export interface ReplicaOptions {
  readonly id: AttemptId;
  readonly service: ServiceSpec;
  readonly sensitivity: Sensitivity;
  /** A connection to its port. */
  readonly connect: () => Promise<Duplex>;
  readonly reporter: ReplicaReporter;
  readonly clock: Clock;
}

/** More would only wait inside the replica. */
const MOST_CONNECTIONS = 1_024;
/** Servers that close idle connections say so in `Keep-Alive`, or keep them for two seconds at the least. */
const IDLE_MS = 1_000;
/** Requests that gateways send before they hear that it drains are still taken, for this long after the custodian knows. */
const SETTLE_MS = 500;
const LOOK_EVERY_MS = 10;

/** One replica at its agent: finds out when it is ready, takes requests, and lets them finish before it is stopped. */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #connections: ReplicaConnections;
  readonly #over = new AbortController();
  #state: 'probing' | 'ready' | 'draining' | 'refusing' | 'gone' = 'probing';
  #inFlight = 0;
  #probed: Probed = { last: 'not-asked' };
  #since: EpochMs;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { connect, service, clock } = options;
    this.#since = clock.now();
    this.#connections = new ReplicaConnections({
      open: connect,
      most: MOST_CONNECTIONS,
      idleMs: IDLE_MS,
      isAgent: false,
    });
    const probe = { connect, path: service.probe, host: this.host };
    const onProbed = (probed: Probed): void => void (this.#probed = probed);
    void untilReady(probe, { clock, signal: this.#over.signal, onProbed }).then((ready) => {
      if (!ready || this.#state !== 'probing') return;
      this.#since = clock.now();
      void this.#enter('ready');
    });
  }

  get id(): AttemptId {
    return this.#options.id;
  }

  get sensitivity(): Sensitivity {
    return this.#options.sensitivity;
  }

  /** How it was asked whether it is ready, and what came of it. */
  get readiness(): Readiness {
    const { port, probe: path } = this.#options.service;
    return { port, ...(path === undefined ? {} : { path }), ...this.#probed, since: this.#since };
  }

  /** The host line of requests to it. */
  get host(): string {
    return `127.0.0.1:${this.#options.service.port}`;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether it takes a request. */
  get takes(): boolean {
    return this.#state === 'ready' || this.#state === 'draining';
  }

  /** Sends it a request; `not-taken` unless it takes one. */
  async forward(outgoing: Outgoing, response: ServerResponse, onlooker?: Onlooker): Promise<Forwarded> {
    if (!this.takes) return 'not-taken';
    this.#inFlight += 1;
    try {
      return await forward(this.#connections, outgoing, response, onlooker);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Tells the custodian, lets requests under way finish and takes no new ones; resolves when none is left, at the latest after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    const { clock } = this.#options;
    const end = clock.monotonic() + withinMs;
    if (this.#state === 'probing' || withinMs === 0) return this.#refuse();
    if (this.#state === 'ready') {
      const told = this.#enter('draining');
      await Promise.race([told, sleep(clock, withinMs / 2, this.#over.signal)]);
      await sleep(clock, Math.min(SETTLE_MS, withinMs / 4), this.#over.signal);
      this.#refuse();
    }
    while (this.#inFlight > 0 && clock.monotonic() < end && !this.#over.signal.aborted)
      await sleep(clock, LOOK_EVERY_MS, this.#over.signal);
  }

  /** Its process has ended. */
  gone(): void {
    this.#over.abort();
    this.#state = 'gone';
    this.#connections.destroy();
    void this.#options.reporter.report(this.id, 'gone');
  }

  #refuse(): void {
    this.#state = 'refusing';
    this.#connections.close();
  }

  #enter(state: 'ready' | 'draining'): Promise<void> {
    this.#state = state;
    return this.#options.reporter.report(this.id, state);
  }
}
