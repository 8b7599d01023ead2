import type { AgentId, DeviceId } from '@ringfence/base';
import type { PartyRoute } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { AGENT_PLACE } from '../store/sealed-columns.ts';

const MOST_GATEWAYS = 64;

/** Agents that may be gateways and are members still. */
export async function listGateways(
  context: CustodianContext,
  { org, keyring }: ClaimedOrganisation,
): Promise<AgentId[]> {
  const rows = await context.store.withOrg(
    org,
    (tx) => tx.selectFrom('gateway').select('agent').orderBy('allowed_at').execute(),
    { readOnly: true },
  );
  return rows.map(({ agent }) => agent).filter((agent) => keyring.agent(agent) !== undefined);
}

/** Refuses an agent that no member has allowed to be a gateway. Throws CustodianError `not-authorised`. */
export async function requireGateway(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  agent: AgentId,
): Promise<void> {
  if ((await listGateways(context, claimed)).includes(agent)) return;
  throw new CustodianError('not-authorised', 'nobody has allowed this agent to be a gateway', {
    next: `a member runs \`ringfence endpoint gateway add ${agent}\``,
  });
}

/** Lets an agent be a gateway, or no longer. Throws CustodianError `not-found`, `too-much`. */
export async function allowGateway(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { agent, allow, device }: { agent: AgentId; allow: boolean; device: DeviceId },
): Promise<AgentId[]> {
  const { org, keyring } = claimed;
  if (allow && keyring.agent(agent) === undefined)
    throw new CustodianError('not-found', 'there is no such agent', { next: 'see `ringfence agent ls`' });
  await context.store.withOrg(org, async (tx) => {
    const rows = await tx.selectFrom('gateway').select('agent').execute();
    if (rows.some((row) => row.agent === agent) === allow) return;
    if (allow && rows.length >= MOST_GATEWAYS)
      throw new CustodianError('too-much', `there are ${MOST_GATEWAYS} gateways already`, {
        next: 'take one back: `ringfence endpoint gateway rm AGENT`',
      });
    if (allow) await tx.insertInto('gateway').values({ agent, org, allowed_at: context.clock.now() }).execute();
    else await tx.deleteFrom('gateway').where('agent', '=', agent).execute();
    await context.record(tx, org, { type: 'gateway-allowed', agent, allow, device });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
  if (!allow) context.endpoints.drop(agent);
  context.endpoints.changed();
  return listGateways(context, claimed);
}

/** How others reach these agents, as the keyring and the join say. */
export async function routesOf(
  context: CustodianContext,
  { org, keyring }: ClaimedOrganisation,
  agents: readonly AgentId[],
): Promise<ReadonlyMap<AgentId, PartyRoute>> {
  if (agents.length === 0) return new Map();
  const rows = await context.store.withOrg(
    org,
    (tx) => tx.selectFrom('agent').select(['agent', 'place_box']).where('agent', 'in', agents).execute(),
    { readOnly: true },
  );
  const { relay } = context.route();
  return new Map(
    rows.flatMap(({ agent, place_box }): [AgentId, PartyRoute][] => {
      const entry = keyring.agent(agent);
      if (entry === undefined) return [];
      const { lan } = context.columns.open(AGENT_PLACE, agent, place_box);
      return [[agent, { tls: entry.tls, relay, lan }]];
    }),
  );
}
