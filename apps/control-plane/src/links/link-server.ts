import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { errorFields, isId, type AgentId } from '@ringfence/base';
import {
  acceptLink,
  LINK_SOCKET_OPTIONS,
  type AcceptedLink,
  type AcceptingLink,
  type LinkEnd,
  type RenewedLease,
} from '@ringfence/client/control-link';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Subscription } from '@ringfence/store';
import { WebSocketServer, type WebSocket } from 'ws';
import { ShownHeads } from '../audit/shown-heads.ts';
import { HEARTBEAT_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { LeaseRenewals } from '../jobs/lease-renewals.ts';
import { OutlivedLeases } from '../marketplace/outlived-leases.ts';
import type { PartyId } from '../store/tables.ts';
import { Handshakes } from './handshakes.ts';
import { newestByParty, waitingAbove } from './outbox.ts';
import { acceptHello, findParty, lockForFork, takeAck, takeEnd, type Connected } from './party-link.ts';
import { MessageGroups } from './message-groups.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { SilentSockets } from './silent-sockets.ts';

/** A party sends its open frame as soon as its WebSocket is open. */
const OPEN_FRAME_WITHIN_MS = 5_000;

/** A link that this replica holds, and what of the outbox it was given. */
interface HeldLink extends Connected {
  readonly link: AcceptedLink;
  /** Ends the watch over locks that would cut it. */
  readonly unwatch: () => void;
  sent: number;
  pumping: boolean;
  again: boolean;
}

/** The control links of one replica: WebSockets at `/v1/link`, fed from the outbox whenever somebody notifies. */
export class LinkServer {
  readonly #context: ControlPlaneContext;
  readonly #held = new Map<PartyId, HeldLink>();
  readonly #accepting = new Set<AcceptingLink>();
  readonly #ends = new Set<Promise<void>>();
  readonly #sockets = new WebSocketServer({ ...LINK_SOCKET_OPTIONS, noServer: true });
  readonly #subscriptions: Subscription[];
  readonly #silent = new SilentSockets();
  readonly #handshakes: Handshakes;
  readonly #messages: MessageGroups;
  readonly #renewals: LeaseRenewals;
  readonly #outlived: OutlivedLeases;
  readonly #shownHeads: ShownHeads;

  constructor(context: ControlPlaneContext, server: Server) {
    this.#context = context;
    this.#handshakes = new Handshakes(context.clock);
    this.#messages = new MessageGroups(context);
    this.#renewals = new LeaseRenewals(context);
    this.#outlived = new OutlivedLeases(context);
    this.#shownHeads = new ShownHeads(context);
    context.logs.sequencing.onHead((org) => this.#shownHeads.grown(org));
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', ignore);
      // No party is a browser, and pages of a browser say where they are from.
      if (request.url !== '/v1/link' || request.headers.origin !== undefined) return void socket.destroy();
      this.#upgrade(request, socket, head);
    });
    this.#subscriptions = [
      context.changes.listen('outbox', (party) => (party === undefined ? this.#pumpAll() : this.#pumpOne(party))),
      context.changes.listen('link', (payload) => payload !== undefined && this.#endOlder(payload)),
    ];
  }

  /** How many links this replica holds. */
  get count(): number {
    return this.#held.size;
  }

  /** Says goodbye to all, who dial again, here or elsewhere; resolves when their ends are stored. */
  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.close();
    for (const accepting of this.#accepting) accepting.close('shutdown');
    this.#sockets.close();
    this.#renewals.close();
    await this.#shownHeads.close();
    await Promise.all(this.#ends);
  }

  /** Who is there is not known before the open frame: until then a socket has one of the places for strangers, and no handshake waits for it. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (socket.destroyed) return;
    const retryAfterS = this.#handshakes.retryAfterS;
    const onNamed = retryAfterS === undefined ? this.#silent.enter(request.socket.remoteAddress ?? '') : undefined;
    if (onNamed === undefined) return refuseUpgrade(socket, this.#context.clock, retryAfterS ?? 1);
    socket.once('close', onNamed);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, onNamed));
  }

  #accept(socket: WebSocket, onNamed: () => void): void {
    const context = this.#context;
    const cut = (): void => socket.terminate();
    const cancelSilence = context.clock.after(OPEN_FRAME_WITHIN_MS, cut);
    const { promise: over, resolve: onOver } = Promise.withResolvers<void>();
    socket.once('close', onOver);
    let connected: Connected | undefined;
    const here = (): Connected => {
      if (connected === undefined) throw new Error('a message came before the hello was accepted');
      return connected;
    };
    const { promise: ended, resolve: onEnded } = Promise.withResolvers<void>();
    this.#ends.add(ended);
    const accepting: AcceptingLink = acceptLink({
      socket,
      controlPlane: context.identity.id,
      keys: context.identity.keys,
      framesKey: context.identity.frames,
      clock: context.clock,
      rng: context.rng,
      log: context.log,
      heartbeatMs: HEARTBEAT_MS,
      lookupParty: async (id) => {
        cancelSilence();
        if (!(await context.locks.heard())) {
          accepting.close('shutdown');
          return undefined;
        }
        const party = await findParty(context, id);
        if (party === undefined || party.locked) return party;
        onNamed();
        if (await this.#handshakes.turn(id, { over, cut })) return party;
        accepting.close('shutdown');
        return undefined;
      },
      onHello: async (event) => {
        const { answer, connection, site } = await acceptHello(context, event);
        if (answer.allow) connected = { party: event.party, connection, site };
        return answer;
      },
      onFork: (event) => lockForFork(context, event),
      onReady: (link) => {
        onOver();
        this.#hold(here(), link);
      },
      onMessage: (message, { mid }) => this.#messages.take(here(), message, mid),
      onHeartbeat: ({ attempts }, party) =>
        party.role === 'agent' ? this.#renew(here(), party.id as AgentId, attempts) : Promise.resolve([]),
      onAck: (mid, journal) => takeAck(context, here(), mid, journal),
      onEnd: (end) => {
        cancelSilence();
        this.#accepting.delete(accepting);
        void this.#end(connected, end).finally(() => {
          this.#ends.delete(ended);
          onEnded();
        });
      },
    });
    this.#accepting.add(accepting);
  }

  async #end(connected: Connected | undefined, { reason, code }: LinkEnd): Promise<void> {
    const { log } = this.#context;
    log.info('link.ended', {
      reason: reason ?? code,
      ...(connected === undefined ? {} : { peer: connected.party.id }),
    });
    if (connected === undefined) return;
    const held = this.#held.get(connected.party.id);
    if (held?.connection === connected.connection) {
      held.unwatch();
      this.#shownHeads.leave(held.link);
      this.#held.delete(connected.party.id);
    }
    await takeEnd(this.#context, connected).catch((error: unknown) =>
      log.warn('link.end_not_stored', errorFields(error)),
    );
  }

  async #renew(
    { party: { org }, connection }: Connected,
    agent: AgentId,
    named: MessageBody<'heartbeat'>['attempts'],
  ): Promise<readonly RenewedLease[] | undefined> {
    const leases = await this.#renewals.renew({ org, agent, connection });
    if (leases !== undefined)
      void this.#outlived
        .look({ org, agent }, named, leases)
        .catch((error: unknown) => this.#context.log.warn('link.conduct_not_stored', errorFields(error)));
    return leases;
  }

  #hold(connected: Connected, link: AcceptedLink): void {
    const older = this.#held.get(connected.party.id);
    older?.unwatch();
    older?.link.close('superseded');
    const unwatch = this.#watch(connected, link);
    const held: HeldLink = { ...connected, link, unwatch, sent: link.received, pumping: false, again: false };
    this.#held.set(connected.party.id, held);
    this.#shownHeads.greet(link);
    this.#context.log.info('link.up', { peer: connected.party.id });
    void this.#pump(held);
  }

  /** A lock on its agent or its site cuts it, on whichever replica it was set. */
  #watch({ party, site }: Connected, link: AcceptedLink): () => void {
    if (!isId('agent', party.id)) return () => {};
    const watch = this.#context.locks.open({
      org: party.org,
      control: true,
      parties: [{ agent: party.id, site, roles: [] }],
      cut: (why) => link.close(why === 'not-hearing' ? 'shutdown' : 'locked'),
    });
    return () => watch.close();
  }

  #pumpOne(party: string): void {
    const held = this.#held.get(party as PartyId);
    if (held !== undefined) void this.#pump(held);
  }

  #pumpAll(): void {
    if (this.#held.size === 0) return;
    newestByParty(this.#context.store)
      .then((waiting) => {
        for (const { party, newest } of waiting)
          if ((this.#held.get(party)?.sent ?? newest) < newest) this.#pumpOne(party);
      })
      .catch((error: unknown) => this.#context.log.warn('outbox.failed', errorFields(error)));
  }

  /** Hands the outbox to the link in order, one reader at a time. */
  async #pump(held: HeldLink): Promise<void> {
    held.again = true;
    if (held.pumping) return;
    held.pumping = true;
    try {
      while (held.again) {
        held.again = false;
        const waiting = await waitingAbove(
          this.#context.store,
          { party: held.party.id, org: held.party.org },
          held.sent,
        );
        for (const { mid, message } of waiting) {
          if (message.name === 'lease') this.#context.fault('lease-before-send');
          held.link.send(message, mid);
          held.sent = mid;
        }
        if (waiting.length > 0) held.again = true;
      }
    } catch (error) {
      // The tick of the subscription tries again; nothing was acknowledged.
      this.#context.log.warn('outbox.failed', errorFields(error));
    } finally {
      held.pumping = false;
    }
  }

  #endOlder(payload: string): void {
    const [party, word] = payload.split(' ');
    const held = this.#held.get(party as PartyId);
    if (held === undefined) return;
    if (word === 'locked') held.link.close('locked');
    else if (Number(word) > held.connection) held.link.close('superseded');
  }
}

/** Made once: a function made at each upgrade would hold its request for as long as the link is up. */
function ignore(): void {}
