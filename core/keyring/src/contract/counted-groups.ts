import type { AgentId } from '@ringfence/base';
import type { Contract, ContractClient } from '@ringfence/protocol/statements';

/** What a contract counts towards `minOrganisations`: organisations, or the sites of the only one that has data in it. */
export function countsSites({ clients }: Pick<Contract, 'clients'>): boolean {
  return new Set(clients.map(({ org }) => org)).size === 1;
}

/** What a client counts as; undefined where it is with the aggregator, whose own data hides nobody from it. */
export function groupOf(
  contract: Pick<Contract, 'clients' | 'aggregator'>,
  client: ContractClient,
): string | undefined {
  const { aggregator } = contract;
  if (countsSites(contract)) return client.site === aggregator.site ? undefined : client.site;
  return client.org === aggregator.org ? undefined : client.org;
}

/** How many clients are with the aggregator, and may tell it all they know. */
export function countWithAggregator(contract: Pick<Contract, 'clients' | 'aggregator'>): number {
  return contract.clients.filter((client) => groupOf(contract, client) === undefined).length;
}

/** How many organisations (or sites) are among these agents; each agent that adds to a sum checks it against `minOrganisations` before it unmasks. */
export function countGroups(
  contract: Pick<Contract, 'clients' | 'aggregator'>,
  agents: Iterable<AgentId> = contract.clients.map(({ agent }) => agent),
): number {
  const present = new Set(agents);
  const groups = contract.clients.flatMap((client) =>
    present.has(client.agent) ? (groupOf(contract, client) ?? []) : [],
  );
  return new Set(groups).size;
}
