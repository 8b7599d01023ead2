import type { Clock } from '@ringfence/base';
import {
  expectKeys,
  payloadAgent,
  relayAddressOf,
  type LinkIdentity,
  type PayloadAgent,
  type Route,
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
  return payloadAgent({ routes: routesOf(route), identity, expect: expectKeys(route.tls), clock });
}

function routesOf({ tls, relay, lan }: Pick<PartyRoute, 'tls' | 'relay' | 'lan'>): Route[] {
  const routes: Route[] = [];
  const [, host, port] = /^(.+):(\d+)$/.exec(lan ?? '') ?? [];
  if (host !== undefined) routes.push({ kind: 'lan', host, port: Number(port) });
  if (relay !== null)
    routes.push({ kind: 'relay', relayUrl: relay.url, address: relayAddressOf(tls), ...outerSettings(relay.caPin) });
  return routes;
}
