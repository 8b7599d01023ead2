import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '@ringfence/base';
import type { EgressRefusal } from './egress-count.ts';
import type { EgressWish } from './egress-target.ts';
import { isLocalAddress } from './local-address.ts';
import { requestUpstream, upstreamProxy, type UpstreamProxy } from './upstream-proxy.ts';

/** How the site reaches the outside. */
export interface EgressSite {
  /** `host:port` of places on the machine or its link that the operator allows jobs that list them. */
  readonly allowLocal: ReadonlySet<string>;
  /** Undefined where connections go straight. */
  readonly upstream: UpstreamProxy | undefined;
  /** Every address of a name. Rejects when there is none. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Addresses of the machine's interfaces, now. */
  readonly ownAddresses: () => readonly string[];
}

/** A connection that was not made, with the reason that is counted. */
export class EgressRefused extends Error {
  readonly reason: EgressRefusal;

  constructor(reason: EgressRefusal, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

const WITHIN_MS = 15_000;

/** The site as this machine knows it; `proxy` is the URL of its own. */
export function siteOf(allowLocal: ReadonlySet<string>, proxy: string | undefined): EgressSite {
  return {
    allowLocal,
    upstream: proxy === undefined ? undefined : upstreamProxy(proxy),
    resolve: async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address),
    ownAddresses: () =>
      Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
  };
}

/** A connection to `wish`, straight or through the site's proxy. Throws EgressRefused. */
export async function openTarget(wish: EgressWish, site: EgressSite, clock: Clock): Promise<Socket> {
  const addresses = await checkedAddresses(wish, site);
  if (site.upstream !== undefined) return connectUpstream(wish, site.upstream, clock);
  // The addresses that were checked are the ones that are dialled: a name is not asked for twice.
  const found: LookupFunction = (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  const socket = connect({
    host: 'checked.invalid',
    port: wish.port,
    lookup: found,
    autoSelectFamily: true,
    noDelay: true,
  });
  return new Promise((resolve, reject) => {
    const cancel = clock.after(WITHIN_MS, () => fail(new Error('timed out')));
    const fail = (cause: Error): void => {
      cancel();
      socket.destroy();
      reject(new EgressRefused('unreachable', cause));
    };
    socket.once('error', fail).once('connect', () => {
      cancel();
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/**
 * The addresses of `wish`, none of them the machine's own unless its operator said so. Behind a proxy a name may resolve there
 * alone; then there are none. Throws EgressRefused.
 */
export async function checkedAddresses(wish: EgressWish, site: EgressSite): Promise<readonly string[]> {
  const addresses = isIP(wish.host) === 0 ? await resolved(wish.host, site) : [wish.host];
  const own = site.ownAddresses();
  const local = wish.host === 'localhost' || addresses.some((address) => isLocalAddress(address, own));
  if (local && !site.allowLocal.has(wish.key)) throw new EgressRefused('local-address');
  return addresses;
}

async function resolved(host: string, { resolve, upstream }: EgressSite): Promise<readonly string[]> {
  try {
    const addresses = await resolve(host);
    if (addresses.length > 0 || upstream !== undefined) return addresses;
  } catch (cause) {
    if (upstream !== undefined) return [];
    throw new EgressRefused('not-resolved', cause);
  }
  throw new EgressRefused('not-resolved');
}

function connectUpstream(wish: EgressWish, upstream: UpstreamProxy, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = requestUpstream(upstream, { method: 'CONNECT', path: wish.key, headers: { host: wish.key } });
    const cancel = clock.after(WITHIN_MS, () => request.destroy(new Error('timed out')));
    const fail = (reason: EgressRefusal, cause?: unknown): void => {
      cancel();
      request.destroy();
      reject(new EgressRefused(reason, cause));
    };
    request.on('error', (cause) => fail('unreachable', cause));
    request.on('response', () => fail('upstream-refused'));
    request.on('connect', ({ statusCode }: IncomingMessage, socket: Socket, head: Buffer) => {
      if (statusCode !== 200) return fail('upstream-refused');
      cancel();
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.end();
  });
}
