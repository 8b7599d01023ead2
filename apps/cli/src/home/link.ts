import type { Clock } from '@ringfence/base';
import {
  expectKeys,
  payloadAgent,
  routesTo,
  type LinkIdentity,
  type PayloadAgent,
  type RelayAccess,
} from '@ringfence/client/payload-link';
import type { PartyRoute } from '@ringfence/protocol/payload';
import { outerSettings } from './outer-settings.ts';

/** Payload links to one party, by its LAN address where it has one, else by the relay; nobody else is accepted at the other end. */
export function createLink(options: {
  route: Pick<PartyRoute, 'tls' | 'relay' | 'lan'>;
  identity: LinkIdentity;
  clock: Clock;
}): PayloadAgent {
  const { route, identity, clock } = options;
  return payloadAgent({ routes: routesTo(route, relayAccess(route)), identity, expect: expectKeys(route.tls), clock });
}

/** How to reach the relay of `route`; undefined where the party has none. */
function relayAccess({ relay }: Pick<PartyRoute, 'relay'>): RelayAccess | undefined {
  return relay === null ? undefined : { relayUrl: relay.url, ...outerSettings(relay.caPin) };
}
