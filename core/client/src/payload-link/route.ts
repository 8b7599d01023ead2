import type { RelayAddress } from '../relay-protocol/index.ts';
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

/** `routes` in the order in which to try them: direct ones first, each kind in the given order. */
export function inDialOrder(routes: readonly Route[]): readonly Route[] {
  return [...routes.filter(({ kind }) => kind === 'lan'), ...routes.filter(({ kind }) => kind === 'relay')];
}
