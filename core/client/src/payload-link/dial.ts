import { connect as tcpConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import type { Clock } from '@ringfence/base';
import { connectionError } from '../connection-error.ts';
import { withDeadline } from '../deadline.ts';
import { ClientError } from '../error.ts';
import type { ExpectPeer } from './expected-peer.ts';
import type { LinkIdentity } from './link-identity.ts';
import { linkPeerKey, linkTlsOptions } from './link-tls.ts';
import { openRelaySocket } from './relay-socket.ts';
import { inDialOrder, type LanRoute, type RelayRoute, type Route } from './route.ts';
import { webSocketStream } from './web-socket-stream.ts';

/** What a dial needs to know. */
export interface DialOptions {
  /** Ways to the party; direct ones are tried first. */
  readonly routes: readonly Route[];
  /** Who this side is; asked for at each dial where its certificate changes. What that throws, the dial throws. */
  readonly identity: LinkIdentity | (() => Promise<LinkIdentity>);
  /** Who may be at the other end; asked before any byte of HTTP. */
  readonly expect: ExpectPeer;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A dial by a side that knows who it is. */
type KnownDial = DialOptions & { readonly identity: LinkIdentity };

/** A relay lets a called party take its time for 10 s; the error that it then sends is the better one. */
const DIAL_WITHIN = 15_000;
/** A LAN address that nobody answers must not hold up the relay. */
const LAN_BEFORE_RELAY_WITHIN = 3_000;

/**
 * Opens a payload link: the TLS socket has checked that its other end holds a key that `expect` allows, and carries no
 * application byte yet. Whether the other end admits *this* side shows with its first answer. Throws ClientError
 * `wrong-peer`, `peer-offline`, `peer-busy`, `peer-silent`, `link-broken`, `link-refused`, `timed-out`, `aborted` and the
 * codes of connecting to the relay; with several routes, the last one's, all of them in `cause`.
 */
export async function dialPayload(options: DialOptions): Promise<TLSSocket> {
  const { identity: given } = options;
  const identity = typeof given === 'function' ? await given() : given;
  const routes = inDialOrder(options.routes);
  const failures: ClientError[] = [];
  for (const [index, route] of routes.entries()) {
    const last = index === routes.length - 1;
    const within = route.kind === 'lan' && !last ? LAN_BEFORE_RELAY_WITHIN : DIAL_WITHIN;
    try {
      return await withDeadline({ ...options, within }, (signal) => dialRoute(route, { ...options, identity }, signal));
    } catch (error) {
      const failure = connectionError(error);
      failures.push(failure);
      if (failure.code === 'aborted') break;
    }
  }
  throw combined(failures);
}

function combined(failures: readonly ClientError[]): ClientError {
  const last = failures.at(-1);
  if (last === undefined)
    return new ClientError('unreachable', 'no route to the party is known', {
      next: 'name a relay, or a LAN address that the party listens on',
    });
  if (failures.length === 1) return last;
  const detail = last.next === undefined ? {} : { next: last.next };
  return new ClientError(last.code, last.message, { ...detail, cause: new AggregateError(failures) });
}

async function dialRoute(route: Route, options: KnownDial, signal: AbortSignal): Promise<TLSSocket> {
  const stream = route.kind === 'lan' ? openLan(route, signal) : await openRelayed(route, options.clock, signal);
  return secureLink(stream, options, signal);
}

function openLan(route: LanRoute, signal: AbortSignal): Duplex {
  const socket = tcpConnect({ host: route.host, port: route.port, noDelay: true, keepAlive: true });
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  return socket;
}

async function openRelayed(route: RelayRoute, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  const request = { kind: 'dial', address: route.address } as const;
  return webSocketStream(await openRelaySocket({ access: route, request, clock, signal }));
}

async function secureLink(stream: Duplex, options: KnownDial, signal: AbortSignal): Promise<TLSSocket> {
  const socket = tlsConnect({ ...linkTlsOptions(options.identity), socket: stream });
  stream.on('error', (error) => socket.destroy(error));
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  await finished(socket);
  signal.throwIfAborted();
  const peer = linkPeerKey(socket);
  const decision = peer === undefined ? { allow: false } : options.expect(peer);
  if (decision.allow) return socket;
  socket.destroy();
  throw new ClientError('wrong-peer', 'the other end is not the party that the keyring names', {
    next: 'check that the address is right and the keyring up to date; nothing was sent',
  });
}

function finished(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      socket.off('close', fail);
      resolve();
    });
    socket.once('error', fail);
    socket.once('close', fail);
    function fail(error?: unknown): void {
      socket.on('error', () => {});
      reject(handshakeError(error));
    }
  });
}

function handshakeError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^ERR_(SSL|TLS)_/.test(code) || code === 'EPROTO')
    return new ClientError('link-broken', `the TLS handshake failed (${code})`, {
      cause: error,
      next: 'check that the other end is of this release; if it is, something changes bytes in between',
    });
  if (code === '' || code === 'ECONNRESET' || code === 'EPIPE')
    return new ClientError('link-refused', 'the other end closed the connection during the handshake', {
      cause: error,
      next: 'check its log: it may be stopping, or have as many links as it allows',
    });
  return connectionError(error);
}
