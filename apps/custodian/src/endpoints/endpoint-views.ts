import { epochMs, type AgentId } from '@ringfence/base';
import { checkLocks, type TokenId } from '@ringfence/policy/locks';
import type {
  EndpointRow,
  endpointsAnswer,
  GatewayEndpoint,
  GatewayView,
  PartyRoute,
} from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { endpointReleaseOf } from '../release/endpoint-release.ts';
import { watchedDevice } from '../locks/watched-parties.ts';
import { revisionIn, stateOf, type Endpoint, type Revision, type Token } from './endpoint-state.ts';
import { listGateways, routesOf } from './gateways.ts';
import { issuerBundle } from './issuer.ts';

/** What gateways know: of each endpoint the service, its replicas that take requests or did just now, its tokens. */
export async function gatewayView(context: CustodianContext, claimed: ClaimedOrganisation): Promise<GatewayView> {
  const { seq } = context.endpoints.watch;
  const endpoints = (await context.endpoints.known()).filter(({ removed }) => !removed);
  const agents = endpoints.flatMap(({ revisions }) =>
    revisions.flatMap(({ slots }) => slots.map(({ agent }) => agent)),
  );
  const routes = await routesOf(context, claimed, [...new Set(agents.filter((agent) => agent !== null))]);
  const now = context.clock.now();
  const listed: GatewayEndpoint[] = [];
  for (const endpoint of endpoints) {
    const shown = revisionIn(endpoint, 'current') ?? revisionIn(endpoint, 'coming');
    const release = shown === undefined ? undefined : await endpointReleaseOf(context, claimed, shown);
    const unlocked = { ...endpoint, tokens: endpoint.tokens.filter((token) => isUnlocked(context, claimed, token)) };
    for (const each of gatewayEndpoint(unlocked, routes, now))
      listed.push({ ...each, ...(release === undefined ? {} : { release }) });
  }
  return { seq, at: now, endpoints: listed };
}

/** A token counts while no lock names it or who had it made. */
function isUnlocked(context: CustodianContext, claimed: ClaimedOrganisation, { digest, mintedBy }: Token): boolean {
  const minter = mintedBy === null ? { org: claimed.org, roles: [] } : watchedDevice(context, claimed, mintedBy);
  const party = { ...minter, token: digest as string as TokenId };
  return checkLocks('tokens', [party], { locks: context.locks.of(claimed.org), now: context.clock.now() }).allow;
}

function gatewayEndpoint(endpoint: Endpoint, routes: ReadonlyMap<AgentId, PartyRoute>, now: number): GatewayEndpoint[] {
  const current = revisionIn(endpoint, 'current');
  // Until the first revision is there its callers are held, by what it says of itself.
  const shown = current ?? revisionIn(endpoint, 'coming');
  if (shown === undefined) return [];
  const tokens = endpoint.tokens
    .filter(({ expires }) => now < expires)
    .map(({ digest, expires, limits }) => ({ digest, expires: epochMs(expires), limits }));
  return [
    {
      endpoint: endpoint.endpoint,
      name: endpoint.name,
      service: shown.service,
      sensitivity: shown.sensitivity,
      replicas: current === undefined ? [] : replicasOf(current, routes),
      tokens,
      ...(endpoint.manual === 0 ? { resting: true as const } : {}),
    },
  ];
}

function replicasOf({ slots }: Revision, routes: ReadonlyMap<AgentId, PartyRoute>): GatewayEndpoint['replicas'] {
  return slots.flatMap((slot) => {
    const { job, attempt, agent, running } = slot;
    const state = stateOf(slot);
    const route = agent === null ? undefined : routes.get(agent);
    if (!running || agent === null || route === undefined || (state !== 'ready' && state !== 'draining')) return [];
    return [{ job, attempt, agent, routes: [route], state }];
  });
}

/** All endpoints for a person, and whom callers trust. */
export async function listEndpoints(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
): Promise<z.input<typeof endpointsAnswer>> {
  const endpoints = (await context.endpoints.known()).filter(({ removed }) => !removed);
  const agents = await listGateways(context, claimed);
  const routes = await routesOf(context, claimed, agents);
  const gateways = agents.map((agent) => {
    const route = routes.get(agent);
    return { agent, listens: context.endpoints.listensAt(agent), routes: route === undefined ? [] : [route] };
  });
  const issuer = await issuerBundle(context, claimed);
  return { endpoints: endpoints.map((endpoint) => rowOf(endpoint, gateways)), issuer };
}

function rowOf(endpoint: Endpoint, gateways: EndpointRow['gateways']): EndpointRow {
  const { manual, name, tokens, revisions } = endpoint;
  const [current, coming] = [revisionIn(endpoint, 'current'), revisionIn(endpoint, 'coming')];
  const shown = current ?? coming ?? revisions.at(-1);
  const { min = 0, max = 0 } = shown?.service.replicas ?? {};
  return {
    endpoint: endpoint.endpoint,
    name,
    api: shown?.service.api ?? 'http',
    scale: manual === null ? { min, max, manual: false } : { min: manual, max: manual, manual: true },
    revision: shown?.revision ?? 1,
    coming: current === undefined ? null : (coming?.revision ?? null),
    ready: current !== undefined,
    replicas: revisions.flatMap(({ revision, slots }) =>
      slots.map((slot) => ({ job: slot.job, revision, state: stateOf(slot) })),
    ),
    gateways,
    tokens: tokens.map((token) => ({ name: token.name, expires: epochMs(token.expires), limits: token.limits })),
  };
}
