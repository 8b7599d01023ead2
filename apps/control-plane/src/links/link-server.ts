import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { errorFields, type AgentId } from '@ringfence/base';
import {
  acceptLink,
  LINK_SOCKET_OPTIONS,
  type AcceptedLink,
  type AcceptingLink,
  type LinkEnd,
} from '@ringfence/client/control-link';
import type { Subscription } from '@ringfence/store';
import { WebSocketServer, type WebSocket } from 'ws';
import { HEARTBEAT_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { LeaseRenewals } from '../jobs/lease-renewals.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { PartyId } from '../store/tables.ts';
import { WaitingLine } from '../waiting-line.ts';
import { newestByParty, waitingAbove } from './outbox.ts';
import { acceptHello, findParty, lockForFork, takeAck, takeEnd, type Connected } from './party-link.ts';
import { MessageGroups } from './message-groups.ts';

/**
 * More handshakes at once would end in time-outs on both sides, and be begun anew; a party that dials waits 10 s for its upgrade.
 */
const HANDSHAKES = { atOnce: 48, longestWaitMs: 5_000 } as const;

/** A link that this replica holds, and what of the outbox it was given. */
interface HeldLink extends Connected {
  readonly link: AcceptedLink;
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
  readonly #handshakes: WaitingLine;
  readonly #messages: MessageGroups;
  readonly #renewals: LeaseRenewals;

  constructor(context: ControlPlaneContext, server: Server) {
    this.#context = context;
    this.#handshakes = new WaitingLine(context.clock, HANDSHAKES);
    this.#messages = new MessageGroups(context);
    this.#renewals = new LeaseRenewals(context);
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', ignore);
      if (request.url !== '/v1/link') return void socket.destroy();
      void this.#handshakes
        .run(() => this.#upgrade(request, socket, head))
        .catch((error: unknown) => socket.end(busyAnswer(error)));
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
    await Promise.all(this.#ends);
  }

  /** From the upgrade to the welcome, or to the end of a connection that comes to nothing. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      socket.once('close', resolve);
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, resolve));
    });
  }

  #accept(socket: WebSocket, onDone: () => void): void {
    const context = this.#context;
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
      lookupParty: (id) => findParty(context, id),
      onHello: async (event) => {
        const { answer, connection } = await acceptHello(context, event);
        if (answer.allow) connected = { party: event.party, connection };
        return answer;
      },
      onFork: (event) => lockForFork(context, event),
      onReady: (link) => {
        onDone();
        this.#hold(here(), link);
      },
      onMessage: (message, { mid }) => this.#messages.take(here(), message, mid),
      onHeartbeat: async (_, party) =>
        party.role === 'agent'
          ? this.#renewals.renew({ org: party.org, agent: party.id as AgentId, connection: here().connection })
          : [],
      onAck: (mid, journal) => takeAck(context, here(), mid, journal),
      onEnd: (end) => {
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
    if (this.#held.get(connected.party.id)?.connection === connected.connection) this.#held.delete(connected.party.id);
    await takeEnd(this.#context, connected).catch((error: unknown) =>
      log.warn('link.end_not_stored', errorFields(error)),
    );
  }

  #hold(connected: Connected, link: AcceptedLink): void {
    this.#held.get(connected.party.id)?.link.close('superseded');
    const held: HeldLink = { ...connected, link, sent: link.received, pumping: false, again: false };
    this.#held.set(connected.party.id, held);
    this.#context.log.info('link.up', { peer: connected.party.id });
    void this.#pump(held);
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

/** Says when to dial again, before anything was begun that would be lost. */
function busyAnswer(error: unknown): string {
  const seconds = (error instanceof ControlPlaneError ? error.retryAfterS : undefined) ?? 1;
  return `HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${seconds}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
