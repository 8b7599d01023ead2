import type { AgentId } from '@ringfence/base';
import { parseTlsPublicKey } from '@ringfence/crypto/certificate';
import { readStatement } from '@ringfence/keyring';
import type { agentsAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { AGENT_PLACE } from '../store/sealed-columns.ts';

/** All agents that ever joined, by name, with how to reach them. */
export async function listAgents(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
): Promise<z.input<typeof agentsAnswer>> {
  const { rows, statements } = await context.store.withOrg(claimed.org, async (tx) => ({
    rows: await tx.selectFrom('agent').selectAll().orderBy('joined_at').execute(),
    statements: await tx.selectFrom('keyring_statement').select('envelope').orderBy('seq').execute(),
  }));
  const entries = new Map<AgentId, { tls: string; tier: 'private' | 'secure-cloud' | 'community-cloud' }>();
  for (const { envelope } of statements) {
    const { change } = readStatement('keyring', envelope).claimed;
    if (change.kind === 'add-agent') entries.set(change.agent, { tls: change.tls, tier: change.tier });
  }
  const { relay } = context.route();
  return {
    agents: rows.flatMap(({ agent, place_box, locked, removed }) => {
      const entry = entries.get(agent);
      const tls = entry === undefined ? undefined : parseTlsPublicKey(entry.tls);
      if (entry === undefined || tls === undefined) return [];
      const { name, site, lan } = context.columns.open(AGENT_PLACE, agent, place_box);
      const route = { tls, relay, lan };
      return [{ agent, name, site, tier: entry.tier, route, locked: locked !== null, removed }];
    }),
  };
}
