import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  errorFields,
  randomBelow,
  type Clock,
  type DeviceId,
  type HostPort,
  type Log,
  type Rng,
} from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { LinkIdentity } from '@ringfence/client/payload-link';
import type { RecordKey } from '@ringfence/crypto/record';
import { endpointHost, gatewayView, type GatewayMetrics, type GatewayView } from '@ringfence/protocol/payload';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import type { JoinedLink } from '../link/joined-link.ts';
import type { Replicas } from '../serving/replicas.ts';
import { addressed } from './addressed.ts';
import { bearerToken, checkToken } from './bearer.ts';
import { BodyRoom } from './body-room.ts';
import { CertificateKeeper, hostsOf, keptCertificate } from './certificate-keeper.ts';
import { followCustodian, type Following } from './follow-custodian.ts';
import { KeptFile } from './kept-file.ts';
import { LanListener } from './lan-listener.ts';
import { isReleasedTo } from './is-released-to.ts';
import { ownAnswer, sendOwnAnswer } from './refusal.ts';
import { RemoteRoads } from './remote-road.ts';
import { serveCall } from './serve-call.ts';
import { ServedEndpoint } from './served-endpoint.ts';
import type { ListedReplica, ReplicaRoad } from './target.ts';
import { mayServe } from './view-age.ts';

/** What a gateway needs of the link whose endpoints it serves. */
export interface GatewayOptions {
  readonly folder: string;
  readonly link: JoinedLink;
  readonly identity: LinkIdentity;
  /** A client of its own: it waits for the custodian for as long as it runs. */
  readonly custodian: CustodianClient;
  readonly keyring: KeyringCopy;
  readonly replicas: Replicas;
  /** Where callers of the network come in; undefined for the payload link alone. */
  readonly listen: HostPort | undefined;
  readonly key: RecordKey;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** The member who calls; undefined for whoever shows a token. */
interface Caller {
  readonly device: DeviceId | undefined;
}

const KEEP_EVERY_MS = 600_000;
/** A replica here has a socket a request; more than these would only wait inside it. */
const LOCAL_MOST = 1_024;

/** The gateway role of one link: who calls what is checked here, then it goes to a replica, here or at another agent. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #keptView: KeptFile<GatewayView>;
  readonly #remote: RemoteRoads;
  readonly #lan: LanListener | undefined;
  readonly #certificates: CertificateKeeper | undefined;
  readonly #following: Following;
  readonly #byName = new Map<string, ServedEndpoint>();
  readonly #byHost = new Map<string, ServedEndpoint>();
  readonly #draw: (below: number) => number;
  readonly #room = new BodyRoom();
  #view: GatewayView | undefined;
  #keptAt = Number.NEGATIVE_INFINITY;
  #closing = false;

  constructor(options: GatewayOptions) {
    const { folder, link, identity, custodian, keyring, listen, key, clock, rng, log } = options;
    this.#options = options;
    makeFolder(folder);
    this.#draw = (below) => randomBelow(rng, below);
    const keyOf: ConstructorParameters<typeof RemoteRoads>[0]['keyOf'] = (agent) => keyring.keyring.agent(agent)?.tls;
    this.#remote = new RemoteRoads({ identity, outer: link.outer, clock, keyOf });
    this.#keptView = new KeptFile(folder, 'view.sealed', { schema: gatewayView, key, rng });
    if (listen !== undefined) {
      const lan = new LanListener({
        listen,
        handler: (request, response) => this.fromLan(request, response),
        onListening: () => this.#following.reportNow(),
        clock,
        log,
      });
      const kept = new KeptFile(folder, 'certificate.sealed', { schema: keptCertificate, key, rng });
      const onCertificate: ConstructorParameters<typeof CertificateKeeper>[0]['onCertificate'] = (held) =>
        lan.use(held);
      this.#lan = lan;
      this.#certificates = new CertificateKeeper({ custodian, kept, listen, clock, log, onCertificate });
    }
    this.#following = followCustodian({
      custodian,
      clock,
      log,
      onView: (view) => this.#take(view),
      onRefused: () => this.#forget(),
      load: () => this.#load(),
    });
    const kept = this.#keptView.read();
    if (kept !== undefined) this.#take(kept);
  }

  /** Takes a request from the network. */
  fromLan(request: IncomingMessage, response: ServerResponse): void {
    const found = addressed(request, { byName: this.#byName, byHost: this.#byHost });
    const { clock } = this.#options;
    const decision = checkToken(bearerToken(request.headers.authorization), found?.endpoint.tokens ?? [], clock.now());
    // One answer for a token that does not fit and an endpoint that does not exist.
    if (found === undefined || !decision.allow) {
      found?.endpoint.counters.refused('unauthorised');
      request.resume();
      return sendOwnAnswer(response, found?.endpoint.listed.service.api ?? 'http', ownAnswer('unauthorised'));
    }
    this.#serve(request, response, { ...found, token: decision.token, device: undefined });
  }

  /** Takes a request of a member, for the endpoint of this name; false when there is none. */
  fromMember(
    request: IncomingMessage,
    response: ServerResponse,
    { name, path, device }: { name: string; path: string; device: DeviceId },
  ): boolean {
    const endpoint = this.#byName.get(name);
    if (endpoint === undefined) return false;
    this.#serve(request, response, { endpoint, path, token: undefined, device });
    return true;
  }

  /** What was counted, for members. */
  metrics(): GatewayMetrics {
    return { at: this.#options.clock.now(), endpoints: [...this.#byName.values()].map((each) => each.counts()) };
  }

  /** Where callers of the network come in; undefined until they can. */
  get bound(): HostPort | undefined {
    return this.#lan?.bound;
  }

  /** Takes no more from the network, lets requests finish for up to `within` milliseconds, and ends. */
  async close(within: number): Promise<void> {
    this.#closing = true;
    this.#certificates?.close();
    await this.#lan?.close(within);
    this.#following.stop();
    for (const endpoint of this.#byName.values()) endpoint.close();
    this.#remote.close();
    this.#options.custodian.close();
  }

  #serve(
    request: IncomingMessage,
    response: ServerResponse,
    { device, ...of }: Omit<Parameters<typeof serveCall>[0], 'request' | 'response' | 'room' | 'clock'> & Caller,
  ): void {
    const { clock } = this.#options;
    const { endpoint } = of;
    if (this.#closing) response.shouldKeepAlive = false;
    if (this.#view === undefined || !mayServe(this.#view, endpoint.listed, clock.now())) {
      request.resume();
      endpoint.counters.refused('stale-view');
      return sendOwnAnswer(response, endpoint.listed.service.api, ownAnswer('stale-view', { retryAfterS: 60 }));
    }
    if (!isReleasedTo(endpoint.listed, device, clock.now())) {
      request.resume();
      endpoint.counters.refused('not-released');
      return sendOwnAnswer(response, endpoint.listed.service.api, ownAnswer('not-released'));
    }
    this.#following.busy();
    void serveCall({ ...of, request, response, room: this.#room, clock });
  }

  #take(view: GatewayView): void {
    const { clock } = this.#options;
    const changed = this.#view?.seq !== view.seq;
    this.#view = view;
    if (changed || clock.monotonic() - this.#keptAt > KEEP_EVERY_MS) {
      this.#keptAt = clock.monotonic();
      this.#keptView.write(view);
    }
    if (!changed) return;
    const listed = new Map(view.endpoints.map((endpoint) => [endpoint.endpoint, endpoint]));
    for (const [name, endpoint] of this.#byName)
      if (listed.get(endpoint.id)?.name !== name) {
        endpoint.close();
        this.#byName.delete(name);
        this.#byHost.delete(endpointHost(endpoint.id));
      }
    for (const each of view.endpoints) {
      const known = this.#byName.get(each.name);
      if (known === undefined) this.#add(each);
      else known.update(each);
    }
    this.#remote.keepOnly(new Set(view.endpoints.flatMap(({ replicas }) => replicas.map(({ agent }) => agent))));
    this.#certificates?.endpoints(view.endpoints.map(({ endpoint }) => endpoint));
    this.#learnAgents(view);
  }

  /** A replica may be at an agent that joined after this one last read the keyring. */
  #learnAgents({ endpoints }: GatewayView): void {
    const { keyring, custodian, link, log } = this.#options;
    const agents = endpoints.flatMap(({ replicas }) => replicas.map(({ agent }) => agent));
    if (agents.every((agent) => agent === link.agent || keyring.keyring.agent(agent) !== undefined)) return;
    keyring.refresh(custodian).catch((error: unknown) => log.warn('keyring.not-refreshed', errorFields(error)));
  }

  /** Nobody lets this agent serve any more: what it kept is for a custodian that is away, not for one that said no. */
  #forget(): void {
    if (this.#view === undefined) return;
    this.#view = undefined;
    this.#keptView.remove();
    for (const endpoint of this.#byName.values()) endpoint.close();
    this.#byName.clear();
    this.#byHost.clear();
    this.#remote.keepOnly(new Set());
    this.#options.log.warn('gateway.not-allowed', {});
  }

  #add(listed: GatewayView['endpoints'][number]): void {
    const endpoint = new ServedEndpoint(listed, {
      clock: this.#options.clock,
      draw: this.#draw,
      findRoad: (replica) => this.#roadTo(replica),
      onHeld: () => this.#following.reportNow(),
    });
    this.#byName.set(listed.name, endpoint);
    this.#byHost.set(endpointHost(listed.endpoint), endpoint);
  }

  #roadTo(replica: ListedReplica): ReplicaRoad | undefined {
    if (replica.agent !== this.#options.link.agent) return this.#remote.find(replica);
    const here = this.#options.replicas.find(replica.job, replica.attempt);
    if (here === undefined || !here.takes) return undefined;
    return { most: LOCAL_MOST, send: (outgoing, response, onlooker) => here.forward(outgoing, response, onlooker) };
  }

  #load() {
    const bound = this.#lan?.bound;
    const host = bound === undefined ? undefined : (hostsOf(bound).at(-1) ?? bound.host);
    return {
      listens:
        bound === undefined || host === undefined ? null : `${host.includes(':') ? `[${host}]` : host}:${bound.port}`,
      endpoints: [...this.#byName.values()].map((endpoint) => endpoint.load()),
    };
  }
}
