import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Log, Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { CustodianClient } from '@ringfence/client/custodian';
import type { Digest } from '@ringfence/crypto/sign';
import {
  expectKeys,
  payloadAgent,
  routesTo,
  type LinkIdentity,
  type RelayAccess,
} from '@ringfence/client/payload-link';
import { idOf, signKey } from '@ringfence/protocol';
import { controlPlaneRoute, partyRoute, type PartyRoute } from '@ringfence/protocol/payload';
import { z } from 'zod';
import { AgentError } from '../agent-error.ts';
import { CertifiedIdentity, LINK_RENEWED_AFTER_MS } from '../identity/certified-identity.ts';

/** How this machine reaches the outside, as its owner said at the join. */
export const outerSettings = z.strictObject({
  proxy: z.string().optional(),
  caFile: z.string().optional(),
  relayCa: z.string().optional(),
});

/** One organisation that the agent serves, through one control plane; a folder below `links/`, and the file `link.json` in it. */
const joinedLink = z.strictObject({
  v: z.literal(1),
  agent: idOf('agent'),
  org: idOf('org'),
  orgRoot: signKey,
  custodian: idOf('custodian'),
  route: partyRoute,
  controlPlane: controlPlaneRoute,
  offer: idOf('offer'),
  allowProcess: z.boolean(),
  lan: partyRoute.shape.lan,
  outer: outerSettings,
});
export type JoinedLink = z.infer<typeof joinedLink>;
export type OuterSettings = z.infer<typeof outerSettings>;

const FILE = 'link.json';

/** The folder of the link to a control plane. */
export function linkFolder(state: string, controlPlane: string): string {
  return join(state, 'links', controlPlane);
}

/** Writes the link down in its folder. */
export function storeLink(folder: string, link: JoinedLink): void {
  writeFileAtomic(join(folder, FILE), `${JSON.stringify(link)}\n`);
}

/** Marks the state folder as joined: every link in it is whole. */
export function markJoined(state: string): void {
  const links = readLinks(state).map(({ controlPlane, org, agent }) => ({ controlPlane: controlPlane.id, org, agent }));
  writeFileAtomic(join(state, 'joined.json'), `${JSON.stringify({ v: 1, links })}\n`);
}

/** Every link of the state folder; throws AgentError `bad-state` for one that cannot be read. */
export function readLinks(state: string): readonly JoinedLink[] {
  const folder = join(state, 'links');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name, FILE))
    .filter((path) => existsSync(path))
    .map(readLink);
}

function readLink(path: string): JoinedLink {
  try {
    return joinedLink.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AgentError('bad-state', `${path} cannot be read`, {
      cause,
      next: 'restore the state folder from a backup',
    });
  }
}

/** How to reach the relay of `route`; undefined where the party has none. */
export function relayAccess(route: PartyRoute, outer: OuterSettings): RelayAccess | undefined {
  if (route.relay === null) return undefined;
  // Its own authority, and that of a proxy which opens TLS on the way.
  const caFile = [outer.relayCa, outer.caFile].filter((file) => file !== undefined);
  return {
    relayUrl: route.relay.url,
    ...(caFile.length === 0 ? {} : { caFile }),
    ...(route.relay.caPin === null ? {} : { pin: route.relay.caPin }),
    ...(outer.proxy === undefined ? {} : { proxy: outer.proxy }),
  };
}

/** A client of the custodian at `route` for whoever has a key and no certificate; it expects no other key than the route's. */
export function dialCustodian(options: {
  route: PartyRoute;
  outer: OuterSettings;
  identity: LinkIdentity;
  clock: Clock;
}): CustodianClient {
  const { route, outer, identity, clock } = options;
  const routes = routesTo(route, relayAccess(route, outer));
  return new CustodianClient(payloadAgent({ routes, identity, expect: expectKeys(route.tls), clock }));
}

/** Clients of the custodian of a link, for the agent that joined: they share the certificate that opens their links. */
export function custodianDialler(options: {
  link: Pick<JoinedLink, 'agent' | 'route' | 'outer'>;
  identity: LinkIdentity;
  clock: Clock;
  rng: Rng;
  log: Log;
}): () => CustodianClient {
  const { link, identity: own, clock, rng, log } = options;
  const { agent, route, outer } = link;
  const dial = (identity: LinkIdentity): CustodianClient => dialCustodian({ route, outer, identity, clock });
  const certified = new CertifiedIdentity({ agent, own, dial, clock, rng, log });
  const routes = routesTo(route, relayAccess(route, outer));
  return () => {
    const identity = (): Promise<LinkIdentity> => certified.current();
    const dialled = { routes, identity, expect: expectKeys(route.tls), clock, renewAfter: LINK_RENEWED_AFTER_MS };
    return new CustodianClient(payloadAgent(dialled), () => certified.lapsed());
  };
}

/** Whom to believe to be the control plane's server. */
export function trustOf({ outer, controlPlane }: JoinedLink): { caFile?: string; pin?: Digest } {
  return {
    ...(outer.caFile === undefined ? {} : { caFile: outer.caFile }),
    ...(controlPlane.caPin === null ? {} : { pin: controlPlane.caPin }),
  };
}
