import { parseHostPort } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { relayAddressOf, type RelayAddress } from '../relay-protocol/index.ts';
import type { RelayAccess } from './relay-socket.ts';

/** A listener that a party opened on its own network. */
export interface LanRoute {
  readonly kind: 'lan';
  readonly host: string;
  readonly port: number;
}

/** A party at a relay. */
export interface RelayRoute extends RelayAccess {
  readonly kind: 'relay';
  readonly address: RelayAddress;
}

/** One way to reach a party. */
export type Route = LanRoute | RelayRoute;

/**
 * The ways to the party with the key `tls`: by the `HOST:PORT` that it gave as its own on the network, and through a relay that is reached with
 * `relay`. An address that is none is no way.
 */
export function routesTo(
  { tls, lan }: { readonly tls: TlsPublicKey; readonly lan: string | null },
  relay: RelayAccess | undefined,
): Route[] {
  const direct = lan === null ? undefined : parseHostPort(lan);
  return [
    ...(direct === undefined ? [] : [{ kind: 'lan' as const, ...direct }]),
    ...(relay === undefined ? [] : [{ kind: 'relay' as const, ...relay, address: relayAddressOf(tls) }]),
  ];
}

/** `routes` in the order in which to try them: direct ones first, each kind in the given order. */
export function inDialOrder(routes: readonly Route[]): readonly Route[] {
  return [...routes.filter(({ kind }) => kind === 'lan'), ...routes.filter(({ kind }) => kind === 'relay')];
}
