import type { Duplex } from 'node:stream';
import { type AgentId, type Clock } from '@ringfence/base';
import { dialPayload, expectKeys, routesTo, type LinkIdentity, type Route } from '@ringfence/client/payload-link';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { relayAccess, type OuterSettings } from '../link/joined-link.ts';
import { forward } from '../serving/forward.ts';
import { ReplicaConnections } from '../serving/replica-connections.ts';
import { awaitAdmission } from './await-admission.ts';
import type { ListedReplica, ReplicaRoad } from './target.ts';

/** What dialling other agents needs. */
export interface RemoteOptions {
  readonly identity: LinkIdentity;
  readonly outer: OuterSettings;
  readonly clock: Clock;
  /** The TLS key of an agent in the keyring as it is now; no other key is talked to, whatever the custodian's list says. */
  readonly keyOf: (agent: AgentId) => TlsPublicKey | undefined;
}

/** Links to one agent, all its replicas together; a relay joins at most 128 of one listener. */
const MOST_LINKS = 96;
/** The other end closes idle links after a minute, and says so. */
const IDLE_MS = 45_000;

interface RemoteAgent {
  readonly made: string;
  readonly road: ReplicaConnections;
}

/** Kept payload links to the agents of replicas that run elsewhere. */
export class RemoteRoads {
  readonly #options: RemoteOptions;
  readonly #agents = new Map<AgentId, RemoteAgent>();

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** The road to a replica of another agent; undefined when the keyring does not have that agent, or nobody knows a way to it. */
  find(replica: ListedReplica): ReplicaRoad | undefined {
    const connections = this.#connectionsTo(replica);
    if (connections === undefined) return undefined;
    const prefix = `/v1/replicas/${replica.job}/${replica.attempt}`;
    return {
      most: connections.most,
      send: (outgoing, response, onlooker) =>
        forward(connections, { ...outgoing, path: prefix + outgoing.path }, response, onlooker),
    };
  }

  /** Closes the links to agents that are not in `agents`. */
  keepOnly(agents: ReadonlySet<AgentId>): void {
    for (const [agent, { road }] of this.#agents)
      if (!agents.has(agent)) {
        road.close();
        this.#agents.delete(agent);
      }
  }

  close(): void {
    for (const { road } of this.#agents.values()) road.destroy();
    this.#agents.clear();
  }

  #connectionsTo({ agent, routes }: ListedReplica): ReplicaConnections | undefined {
    const key = this.#options.keyOf(agent);
    if (key === undefined || routes.length === 0) return undefined;
    const made = JSON.stringify([key, routes]);
    const known = this.#agents.get(agent);
    if (known?.made === made) return known.road;
    known?.road.close();
    const { outer } = this.#options;
    const dialled = routes
      .map((route) => ({ ...route, tls: key }))
      .flatMap((to) => routesTo(to, relayAccess(to, outer)));
    const open = (): Promise<Duplex> => this.#open(dialled, key);
    const road = new ReplicaConnections({ open, most: MOST_LINKS, idleMs: IDLE_MS, isAgent: true });
    this.#agents.set(agent, { made, road });
    return road;
  }

  /** A link whose other end has admitted this side: before it answers, nobody sends a request that it would lose. */
  async #open(routes: readonly Route[], key: TlsPublicKey): Promise<Duplex> {
    const { identity, clock } = this.#options;
    const link = await dialPayload({ routes, identity, expect: expectKeys(key), clock });
    await awaitAdmission(link, clock);
    return link;
  }
}
