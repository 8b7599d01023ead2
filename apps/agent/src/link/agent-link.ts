import { join } from 'node:path';
import { errorFields, type Clock, type HostPort, type Log, type Rng } from '@ringfence/base';
import {
  createControlLink,
  LinkJournal,
  type ControlLink,
  type ControlMessageContext,
  type ControlPlaneMessage,
  type Fact,
  type JournalRetention,
  type LinkState,
} from '@ringfence/client/control-link';
import { linkHttpServer, servePayload, type PayloadListener } from '@ringfence/client/payload-link';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { RecordKey } from '@ringfence/crypto/record';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { EndpointCounts } from '@ringfence/protocol/payload';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import { agentApi } from '../api/agent-api.ts';
import { linkApi, type LinkHandlers } from '../api/link-api.ts';
import { EnterRoute } from '../enter/enter-route.ts';
import { AttemptHistory, type AttemptRecord } from '../attempt/attempt-facts.ts';
import { claimOf } from '../attempt/claimed-lease.ts';
import { AttemptRunner } from '../attempt/attempt-runner.ts';
import { isUploading, recoverAttempt } from '../attempt/recover-attempts.ts';
import { address, type RunConfig } from '../config.ts';
import { indexRoute, isIndexRequest } from '../data-in-place/index-route.ts';
import { FederationHistory } from '../federation/federation-facts.ts';
import { Federations } from '../federation/federations.ts';
import { FEDERATION_PEER } from '../federation/transport/federation-desk.ts';
import { DeletionHistory } from '../deletion/deletion-facts.ts';
import { Deletions } from '../deletion/deletions.ts';
import type { Fault } from '../fault-points.ts';
import { Gateway } from '../gateway/gateway.ts';
import { memberApi, notAGateway } from '../gateway/member-api.ts';
import { openIdentity } from '../identity/agent-identity.ts';
import type { Machine } from '../machine/machine.ts';
import { isAdmissionOver, offerOf } from '../machine/offer.ts';
import type { AgentMetrics } from '../metrics.ts';
import { OwnersLeave } from '../release/owners-leave.ts';
import { replicaApi } from '../serving/replica-api.ts';
import { openReplicas } from '../serving/open-replicas.ts';
import { FollowedLocks } from './followed-locks.ts';
import { inTurn } from './in-turn.ts';
import { custodianDialler, linkFolder, relayAccess, trustOf, type JoinedLink } from './joined-link.ts';
import { KeyringCopy } from './keyring-copy.ts';
import type { LogWitness } from '../witness/log-witness.ts';
import { openWitness } from '../witness/open-witness.ts';
import type { LinkContext } from './link-context.ts';
import { OfferKeeper } from './offer-keeper.ts';

/** What one link needs of its process. */
export interface AgentLinkOptions {
  readonly state: string;
  readonly link: JoinedLink;
  readonly key: RecordKey;
  readonly machine: Machine;
  readonly metrics: AgentMetrics;
  readonly reconnectWithin: number | undefined;
  /** What runs has half of so many milliseconds to end when this agent stops, and its checkpoint the rest. */
  readonly stopWithin: number;
  /** How long closed segments of the journal are kept. */
  readonly retention?: JournalRetention | undefined;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly fault: Fault;
  readonly onState: () => void;
  readonly gateway: RunConfig['gateway'];
  /** Called when the link's journal can be written no more. */
  readonly onJournalFailed?: ((error: Error) => void) | undefined;
}

/** The payload link to the custodian closes when it idles for 50 s: asked more often than that, a start finds it open. */
const REFRESH_EVERY_MS = 40_000;
const TOLD_WITHIN_MS = 2_000;
/** A replica may take four minutes to its first byte. */
const LINK_IDLE_MS = 300_000;
/** Gateways need a link for each request that is under way. */
const LINK_LIMITS = { links: 1_024, linksPerAddress: 512, linksPerPeer: 128 };

/** One organisation that this agent serves: control link, keyring, custodian, its attempts, and what devices may ask. */
export class AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #context: LinkContext;
  readonly #control: ControlLink;
  readonly #runner: AttemptRunner;
  readonly #listener: PayloadListener;
  readonly #history: AttemptHistory;
  /** Attempts of an earlier process that are not brought to an end yet: their folders hold what is. */
  readonly #left: Set<AttemptRecord>;
  readonly #deletions: Deletions;
  readonly #offering: OfferKeeper;
  readonly #witness: LogWitness;
  readonly #gateway: Gateway | undefined;
  readonly #locks: FollowedLocks;
  readonly #dialCustodian: () => CustodianClient;
  readonly #stopping = new AbortController();
  #cancelRefresh: () => void = () => {};

  constructor(options: AgentLinkOptions) {
    const { link, key, clock, rng, log } = options;
    this.#options = options;
    const folder = linkFolder(options.state, link.controlPlane.id);
    const identity = openIdentity(folder, key);
    const [history, ordered, federated] = [new AttemptHistory(), new DeletionHistory(), new FederationHistory()];
    const party = { id: link.agent, org: link.org, role: 'agent' } as const;
    const journal = LinkJournal.open({
      folder,
      party,
      controlPlane: link.controlPlane.id,
      clock,
      key: identity.sign,
      rng,
      log,
      retention: options.retention,
      onFact: (fact) => [history, ordered, federated].forEach((kept) => kept.take(fact)),
      onFailed: options.onJournalFailed,
    });
    [this.#history, this.#left] = [history, new Set(history.open)];
    this.#dialCustodian = custodianDialler({ link, identity: identity.link, clock, rng, log });
    const custodian = this.#dialCustodian();
    this.#locks = this.#followLocks();
    this.#context = {
      ...options,
      locks: this.#locks,
      identity,
      journal,
      replicas: openReplicas({ custodian, clock, log }, join(folder, 'replicas')),
      federations: this.#openFederations(folder, federated),
      keyring: KeyringCopy.open(folder, link.orgRoot, clock),
      custodian,
      record: (fact) => this.#record(fact),
      custodianPoint: history.custodianPoint,
      oneGrantAtATime: inTurn(),
    };
    this.#witness = openWitness(options, { ...this.#context, folder, key: identity.sign });
    this.#runner = new AttemptRunner(this.#context, key, history.highest, () => this.#deletions.look());
    this.#deletions = this.#openDeletions(ordered);
    this.#offering = this.#offer();
    this.#control = createControlLink({
      url: link.controlPlane.url,
      controlPlane: link.controlPlane.id,
      root: link.controlPlane.root,
      party,
      key: identity.sign,
      journal,
      clock,
      rng,
      log,
      trust: trustOf(link),
      proxy: link.outer.proxy,
      firstDelayMs: options.reconnectWithin,
      onMessage: (message, context) => this.#onMessage(message, context),
      heartbeat: () => ({ attempts: this.#runner.beats() }),
      onState: options.onState,
    });
    this.#gateway = options.gateway === undefined ? undefined : this.#openGateway(folder, options.gateway.listen);
    this.#listener = this.#listen();
  }

  get state(): LinkState {
    return this.#control.state;
  }

  /** What a gateway counted, for the machine's own metrics. */
  get endpointCounts(): readonly EndpointCounts[] {
    return this.#gateway?.metrics().endpoints ?? [];
  }

  /** Jobs with an attempt that is not over, or that nobody who has to know has been told of. */
  get jobs(): ReadonlySet<string> {
    return new Set([...this.#runner.jobs, ...[...this.#left].map(({ job }) => job)]);
  }

  /** Ends what an earlier process left, offers this machine, and begins to dial. */
  async start(): Promise<void> {
    const { link, log, reconnectWithin } = this.#options;
    const { route, outer, lan } = link;
    const relay = relayAccess(route, outer);
    if (relay !== undefined)
      this.#listener.listenRelay(relay, reconnectWithin === undefined ? {} : { reconnectWithin });
    if (lan !== null) await this.#listener.listenLan(address('lan', lan));
    this.#locks.start();
    this.#context.replicas.recover();
    this.#runner.sealLogs();
    for (const record of this.#history.open)
      if (isUploading(record) && this.#runner.resume(record)) this.#left.delete(record);
      else
        void recoverAttempt(this.#context, record, { key: this.#options.key, signal: this.#stopping.signal }).then(
          () => {
            this.#left.delete(record);
            this.#deletions.look();
          },
          (error: unknown) => log.error('attempt.not-recovered', errorFields(error)),
        );
    this.#deletions.look();
    await this.#refresh();
    if (!(await this.#offering.start()))
      log.error('nothing-to-offer', { next: 'run ringfence doctor on this machine' });
    this.#control.start();
  }

  /** Ends what runs, tells who has to know, and closes. */
  async stop(): Promise<void> {
    this.#cancelRefresh();
    this.#locks.stop();
    await this.#offering.stop();
    await Promise.all([this.#runner.close(this.#options.stopWithin), this.#gateway?.close(5_000)]);
    // The control plane need not wait for the end of a lease then.
    await this.#control.told(TOLD_WITHIN_MS);
    this.#context.replicas.close();
    this.#stopping.abort();
    await this.#listener.close(500);
    await this.#control.stop();
    await this.#deletions.settled();
    this.#context.custodian.close();
    await this.#context.journal.close();
  }

  #record(fact: Fact): Promise<void> {
    this.#witness.note(fact);
    return this.#context.journal.fact(fact);
  }

  async #onMessage(message: ControlPlaneMessage, context: ControlMessageContext): Promise<undefined> {
    if (message.name === 'log-checkpoint') this.#witness.take(message.body);
    else await this.#take(message, context);
  }

  async #take(
    message: Exclude<ControlPlaneMessage, { name: 'log-checkpoint' }>,
    context: ControlMessageContext,
  ): Promise<void> {
    switch (message.name) {
      case 'lease':
        return this.#takeLease(message.body, context);
      case 'renew':
        if (context.sentAt === undefined) return;
        for (const lease of message.body.leases) this.#runner.renew(lease, context.sentAt + lease.ttlMs);
        return;
      case 'stop':
        return this.#runner.stop(message.body, message.body);
      case 'delete-data':
        return this.#deletions.ask(message.body, context.mid);
      // For custodians.
      case 'job-closed':
      case 'shred-keys':
        return;
    }
  }

  #openDeletions(history: DeletionHistory): Deletions {
    return new Deletions({
      context: this.#context,
      history,
      isAway: () => (this.#context.keyring.keyring.agent(this.#options.link.agent)?.tier ?? 'private') !== 'private',
      isAlive: (attempt) => this.#isAlive(attempt),
      forgo: (attempts) => this.#runner.forgo(attempts),
      logsSettled: () => this.#runner.logsSettled(),
      stopping: this.#stopping.signal,
    });
  }

  #isAlive({ job, attempt }: NamedAttempt): boolean {
    if (this.#runner.workOf(job, attempt) !== undefined) return true;
    return [...this.#left].some((left) => left.job === job && left.attempt === attempt);
  }

  async #takeLease(body: MessageBody<'lease'>, { mid, sentAt, keysEnvelope }: ControlMessageContext): Promise<void> {
    const { echo: _, ...start } = body;
    const claimed = claimOf(start.lease);
    if (claimed === undefined) return this.#options.log.warn('lease.malformed');
    const deadline = sentAt === undefined ? null : sentAt + claimed.ttlMs;
    const leased = { start, controlPlaneKeys: keysEnvelope, at: this.#options.clock.monotonic() };
    this.#options.log.info('lease', { job: claimed.job, attempt: claimed.attempt });
    await this.#runner.lease(claimed, leased, { keep: start.placement.onPartition === 'keep', deadline, mid });
  }

  #admit(peer: TlsPublicKey) {
    const { keyring } = this.#context.keyring;
    const owner = keyring.byTlsKey(peer);
    // Of agents, gateways have business here; which of them, each replica's custodian says.
    if (owner === undefined && this.#context.federations.desk.admits(peer))
      return { allow: true, peer: FEDERATION_PEER } as const;
    if (owner?.kind !== 'device' && owner?.kind !== 'agent') return { allow: false, reasons: ['no-member'] } as const;
    if (this.#locks.cuts(owner.id)) return { allow: false, reasons: ['locked'] } as const;
    const rights = owner.kind === 'device' ? keyring.roleWords(owner.id) : [];
    return { allow: true, peer: { kind: 'known', id: owner.id }, rights } as const;
  }

  #listen(): PayloadListener {
    const { clock, rng, log } = this.#options;
    return servePayload({
      server: linkHttpServer(linkApi(this.#handlers()), { idleWithin: LINK_IDLE_MS }),
      identity: this.#context.identity.link,
      admit: (peer) => this.#admit(peer),
      clock,
      rng,
      log,
      limits: LINK_LIMITS,
    });
  }

  #handlers(): LinkHandlers {
    const { state, clock } = this.#options;
    const { keyring, replicas, federations } = this.#context;
    const entering = new EnterRoute(this.#context, this.#runner);
    const { data } = this.#context.machine;
    const indexing = indexRoute({ keyring, data, org: this.#context.link.org, clock, log: this.#context.log });
    const answer = agentApi({
      state,
      keyring,
      locks: this.#locks,
      runner: this.#runner,
      clock,
      leave: new OwnersLeave(this.#context),
    });
    return {
      jobs: (request, response) => {
        if (isIndexRequest(request)) return indexing(request, response);
        if (!entering.take(request, response)) answer(request, response);
      },
      replicas: replicaApi({ replicas, keyring, clock }),
      federations: (request, response) => federations.desk.handle(request, response),
      members: this.#gateway === undefined ? notAGateway : memberApi(this.#gateway, keyring, this.#locks),
    };
  }

  #followLocks(): FollowedLocks {
    const { clock, log } = this.#options;
    const custodian = this.#dialCustodian();
    return new FollowedLocks({ custodian, clock, log, onChanged: () => this.#listener.recheck() });
  }

  #openFederations(folder: string, history: FederationHistory): Federations {
    return new Federations(folder, { ...this.#options, history, onAdmitted: () => this.#listener.recheck() });
  }

  #openGateway(folder: string, listen: HostPort | undefined): Gateway {
    const { link, key, clock, rng, log } = this.#options;
    const { identity, keyring, replicas } = this.#context;
    // A client of its own: a list that is waited for would take the place of other requests.
    const custodian = this.#dialCustodian();
    const of = { folder: join(folder, 'gateway'), link, identity: identity.link, custodian, keyring, replicas };
    return new Gateway({ ...of, listen, key, clock, rng, log });
  }

  async #refresh(): Promise<void> {
    const { keyring, custodian, clock, log } = this.#context;
    try {
      if (await keyring.refresh(custodian)) this.#listener.recheck();
    } catch (error) {
      log.warn('keyring.not-refreshed', errorFields(error));
    }
    void this.#witness.look();
    if (!this.#stopping.signal.aborted) this.#cancelRefresh = clock.after(REFRESH_EVERY_MS, () => void this.#refresh());
  }

  #offer(): OfferKeeper {
    const { link, machine, clock, log } = this.#options;
    const { keyring, journal } = this.#context;
    return new OfferKeeper({
      offer: (epoch) => {
        const entry = keyring.keyring.agent(link.agent);
        return entry === undefined ? undefined : offerOf(machine, link, entry, { epoch, now: clock.now() });
      },
      // Whatever the wall clock does, each offer has a higher number than the one before.
      nextEpoch: () => this.#nextEpoch(clock.now()),
      send: (offer) =>
        journal.fact({ name: 'offered', body: { epoch: offer.epoch }, queue: [{ name: 'offer', body: offer }] }),
      isFull: () => machine.disk.isFull(),
      isOver: () => {
        const entry = keyring.keyring.agent(link.agent);
        return entry !== undefined && isAdmissionOver(entry, clock.now());
      },
      clock,
      log,
    });
  }

  #nextEpoch(now: number): number {
    // Counted up from then on, so that an offer which says nothing new carries nothing.
    return this.#history.offerEpoch === 0 ? now : this.#history.offerEpoch + 1;
  }
}
