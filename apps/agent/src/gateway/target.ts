import type { ServerResponse } from 'node:http';
import type { GatewayEndpoint } from '@ringfence/protocol/payload';
import type { Forwarded, Onlooker, Outgoing } from '../serving/forward.ts';
import type { Candidate } from './balance.ts';

/** One replica as the custodian lists it. */
export type ListedReplica = GatewayEndpoint['replicas'][number];

/** How a request gets to a replica: by its socket on this machine, or by a payload link to its agent. */
export interface ReplicaRoad {
  /** Most requests at once. */
  readonly most: number;
  readonly send: (outgoing: Outgoing, response: ServerResponse, onlooker: Onlooker) => Promise<Forwarded>;
}

/** Finds the road to a replica; undefined while there is none. */
export type FindRoad = (replica: ListedReplica) => ReplicaRoad | undefined;

const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5_000;

/** A replica that a gateway may send to. */
export class Target implements Candidate {
  readonly key: string;
  readonly #findRoad: FindRoad;
  #listed: ListedReplica;
  #failures = 0;
  #restsUntil = 0;
  inFlight = 0;
  usable = true;

  constructor(listed: ListedReplica, findRoad: FindRoad) {
    this.key = targetKey(listed);
    this.#listed = listed;
    this.#findRoad = findRoad;
  }

  get most(): number {
    return this.#findRoad(this.#listed)?.most ?? 0;
  }

  /** Takes what the custodian says of it now. */
  update(listed: ListedReplica): void {
    this.#listed = listed;
  }

  /** Whether it may be chosen at `now`; sets `usable`. */
  look(now: number): void {
    this.usable = this.#listed.state === 'ready' && now >= this.#restsUntil;
  }

  /** When it may be chosen again, if it rests. */
  get restsUntil(): number {
    return this.#restsUntil;
  }

  /** Sends a request; one that was not taken makes it rest, the longer the more often in a row. */
  async send(
    now: () => number,
    { outgoing, response, onlooker }: { outgoing: Outgoing; response: ServerResponse; onlooker: Onlooker },
  ): Promise<Forwarded> {
    const road = this.#findRoad(this.#listed);
    const forwarded = road === undefined ? 'not-taken' : await road.send(outgoing, response, onlooker);
    if (forwarded === 'not-taken') {
      this.#restsUntil = now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** this.#failures);
      this.#failures = Math.min(this.#failures + 1, 10);
    } else if (forwarded === 'answered') this.#failures = 0;
    return forwarded;
  }
}

/** Names a replica's attempt. */
export function targetKey({ job, attempt }: Pick<ListedReplica, 'job' | 'attempt'>): string {
  return `${job} ${attempt}`;
}
