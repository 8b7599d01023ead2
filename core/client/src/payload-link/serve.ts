import type { Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { errorFields, silentLog, sleep, type Clock, type Log, type Rng } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { ClientError } from '../error.ts';
import { relayAddressOf, shortAddress } from '../relay-protocol/index.ts';
import { DEFAULT_LINK_LIMITS, LinkCounts, type LinkLimits } from './link-limits.ts';
import { admitPeer, type Admission, type LinkPeer } from './link-peer.ts';
import type { LinkIdentity } from './link-identity.ts';
import { linkPeerKey, linkTlsOptions } from './link-tls.ts';
import { listenAtRelay, type RelayListener, type RelayListenerOptions } from './relay-listener.ts';
import type { RelayAccess } from './relay-socket.ts';

/** What a party that takes payload links needs. */
export interface ServeOptions {
  /** Made by `linkHttpServer`, or of a framework that was given it; it gets the links as connections. */
  readonly server: HttpServer;
  readonly identity: LinkIdentity;
  /** Decides on the key that the other end proved, before a byte of HTTP is read. */
  readonly admit: (peer: TlsPublicKey) => Admission;
  /** Watches over a link that was admitted, and may cut it; what it gives ends the watch. */
  readonly watch?: (peer: LinkPeer, cut: () => void) => () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log?: Log;
  readonly limits?: Partial<LinkLimits>;
}

/** Where a listener on the network is bound. */
export interface LanAddress {
  readonly host: string;
  readonly port: number;
}

/** What may be said about listening at a relay. */
export type ListenRelayOptions = Pick<RelayListenerOptions, 'onState' | 'reconnectWithin'>;

/** Takes payload links until it is closed. */
export interface PayloadListener {
  /** Opens a port; opt-in, since every other party only dials out. Throws ClientError `cannot-listen`. */
  listenLan(address: LanAddress): Promise<LanAddress>;
  /** Keeps listening at a relay. */
  listenRelay(access: RelayAccess, options?: ListenRelayOptions): RelayListener;
  /** Asks `admit` again about every open link, cuts those that it now refuses, and a second later those that lost a right; call when the keyring changes. */
  recheck(): void;
  /** Takes no more links, lets requests under way finish for up to `within` milliseconds (5 s), then cuts. */
  close(within?: number): Promise<void>;
}

/** Serves HTTP on payload links: mutual TLS 1.3, then `admit`, then `server`. */
export function servePayload(options: ServeOptions): PayloadListener {
  return new Listener(options);
}

const CLOSE_IDLE_EVERY = 20;
/** So that whoever took a right away from themselves hears that it was done; what is asked meanwhile is judged without it. */
const CUT_AFTER_LOSS = 1_000;

/** An admitted link: whose key it showed, and what its requests rest on. */
interface OpenLink {
  readonly key: TlsPublicKey;
  readonly rights: readonly string[];
}

class Listener implements PayloadListener {
  readonly #options: ServeOptions;
  readonly #log: Log;
  readonly #limits: LinkLimits;
  readonly #tls: TlsServer;
  readonly #counts: LinkCounts;
  readonly #links = new Map<TLSSocket, OpenLink>();
  readonly #streams = new Set<Duplex>();
  readonly #lan: TcpServer[] = [];
  readonly #relays: RelayListener[] = [];
  #closed = false;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#counts = new LinkCounts(this.#limits);
    this.#tls = createTlsServer({
      ...linkTlsOptions(options.identity),
      handshakeTimeout: this.#limits.handshakeWithin,
    });
    this.#tls.on('secureConnection', (socket) => this.#admit(socket));
    this.#tls.on('tlsClientError', (error, socket) => {
      this.#log.debug('handshake-failed', errorFields(error));
      // Node reports a handshake that takes too long, but leaves its socket open.
      socket.destroy();
    });
  }

  async listenLan(address: LanAddress): Promise<LanAddress> {
    const server = createTcpServer({ noDelay: true, keepAlive: true }, (socket: Socket) =>
      this.#take(socket, socket.remoteAddress),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(cannotListen(cause)));
      server.listen(address.port, address.host, resolve);
    });
    server.on('error', (error) => this.#log.error('lan-listener', errorFields(error)));
    this.#lan.push(server);
    const bound = server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }

  listenRelay(access: RelayAccess, options: ListenRelayOptions = {}): RelayListener {
    const { identity, clock, rng } = this.#options;
    const listener = listenAtRelay({
      access,
      identity,
      clock,
      rng,
      ...options,
      log: this.#log,
      onStream: (stream) => this.#take(stream, undefined),
    });
    this.#relays.push(listener);
    return listener;
  }

  recheck(): void {
    for (const [socket, { key, rights }] of this.#links) {
      const again = this.#options.admit(key);
      if (!again.allow) socket.destroy();
      else {
        const now = again.rights ?? [];
        this.#links.set(socket, { key, rights: now });
        if (rights.some((right) => !now.includes(right))) this.#cutSoon(socket);
      }
    }
  }

  #cutSoon(socket: TLSSocket): void {
    const cancel = this.#options.clock.after(CUT_AFTER_LOSS, () => socket.destroy());
    socket.once('close', cancel);
  }

  async close(within = 5_000): Promise<void> {
    this.#closed = true;
    for (const relay of this.#relays) relay.close();
    for (const server of this.#lan) server.close();
    const { server, clock } = this.#options;
    const end = clock.monotonic() + within;
    // Node does not close a kept connection when its last request ends, only those that are idle when it is asked.
    server.closeIdleConnections();
    while (this.#streams.size > 0 && clock.monotonic() < end) {
      await sleep(clock, CLOSE_IDLE_EVERY);
      server.closeIdleConnections();
    }
    for (const stream of this.#streams) stream.destroy();
  }

  /** Takes a raw stream into the handshake, unless there are too many. */
  #take(stream: Duplex, remote: string | undefined): void {
    // Its end reaches the TLS socket above; without a listener it would end the process instead.
    stream.on('error', (error) => this.#log.debug('link-stream', errorFields(error)));
    const release = this.#closed ? undefined : this.#counts.open(remote);
    if (release === undefined) return void stream.destroy();
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      release();
    });
    this.#tls.emit('connection', stream);
  }

  #admit(socket: TLSSocket): void {
    socket.on('error', (error) => this.#log.debug('link-broken', errorFields(error)));
    const key = linkPeerKey(socket);
    const admission = key === undefined ? { allow: false as const, reasons: ['no-key'] } : this.#options.admit(key);
    const release =
      key !== undefined && admission.allow && this.#hasPlaceFor(admission) ? this.#counts.admit(key) : undefined;
    if (key === undefined || !admission.allow || release === undefined) {
      const reason = admission.allow ? 'too-many-links' : admission.reasons.join(',');
      this.#log.warn('link-refused', { reason, ...(key === undefined ? {} : { peer: nameInLogs(key) }) });
      return void socket.destroy();
    }
    const peer: LinkPeer = { ...admission.peer, key, certificate: socket.getPeerX509Certificate()?.raw };
    admitPeer(socket, peer);
    const unwatch = this.#options.watch?.(peer, () => socket.destroy());
    this.#links.set(socket, { key, rights: admission.rights ?? [] });
    socket.once('close', () => {
      this.#links.delete(socket);
      unwatch?.();
      release();
    });
    this.#options.server.emit('connection', socket);
  }

  /** Strangers have few places, counted by who is one now: whoever joined meanwhile takes none of them. */
  #hasPlaceFor({ peer }: Extract<Admission, { allow: true }>): boolean {
    if (peer.kind === 'known') return true;
    const unknown = [...this.#links.values()].filter(({ key }) => {
      const now = this.#options.admit(key);
      return now.allow && now.peer.kind === 'unknown';
    });
    return unknown.length < this.#limits.linksOfUnknown;
  }
}

function nameInLogs(key: TlsPublicKey): string {
  return shortAddress(relayAddressOf(key));
}

function cannotListen(cause: unknown): ClientError {
  return new ClientError('cannot-listen', 'the LAN address cannot be listened on', {
    cause,
    next: 'choose an address of this machine and a port that is free',
  });
}
