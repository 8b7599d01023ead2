import { isId, type AgentId } from '@ringfence/base';
import type { ContractOffer } from '@ringfence/protocol/federation';
import { columnName } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';
import { readTextFile } from '../job/read-text-file.ts';
import type { Session } from '../session.ts';

/** What of an organisation goes into an offer: `DATASET[@VERSION]` at agents by name or id, each with its columns. */
export interface OfferWishes {
  readonly name: string;
  readonly clients: readonly {
    readonly dataset: string;
    readonly agent: string;
    readonly columns: readonly string[];
  }[];
  readonly aggregator: string | undefined;
}

/** All that others need to know of this organisation to draft a contract with it. Throws CliError `usage`, `not-found`. */
export async function makeOffer(
  { custodian }: Session,
  { name, clients, aggregator }: OfferWishes,
): Promise<ContractOffer> {
  const agents = await custodian.agents();
  const agentOf = (word: string): AgentId => {
    const found = agents.find((agent) => !agent.removed && (agent.agent === word || agent.name === word));
    if (found !== undefined) return found.agent;
    throw new CliError('not-found', 'there is no such agent', { next: 'see `ringfence agent ls`' });
  };
  const answer = await custodian.contracts.offer({
    clients: clients.map(({ dataset, agent }) => ({ ...versionIn(dataset), agent: agentOf(agent) })),
    ...(aggregator === undefined ? {} : { aggregator: agentOf(aggregator) }),
  });
  return {
    v: 1,
    party: { ...answer.party, name },
    keyring: answer.keyring,
    clients: answer.clients.map((client, index) => ({
      ...client,
      dataset: { ...client.dataset, columns: [...(clients[index]?.columns ?? [])] },
    })),
    ...(answer.aggregator === undefined ? {} : { aggregator: answer.aggregator }),
  };
}

/** The columns of a CSV file, by its first line. Throws CliError `bad-file`. */
export function columnsIn(path: string): string[] {
  const [head = ''] = readTextFile(path, 'name a CSV file with a header line').split(/\r?\n/, 1);
  return columnsOf(head);
}

/** Names of columns with commas between them; quotes around one are no part of it. Throws CliError `usage`. */
export function columnsOf(list: string): string[] {
  const columns = list.split(',').map((column) => column.trim().replace(/^"(.*)"$/, '$1'));
  if (columns.every((column) => columnName.safeParse(column).success) && new Set(columns).size === columns.length)
    return columns;
  throw new CliError('usage', 'these are not the names of columns, each another', {
    next: 'name them: --columns a,b,c',
  });
}

function versionIn(word: string): { dataset: string; version?: number } {
  const [, dataset = word, version] = /^(.+)@(\d{1,7})$/.exec(word) ?? [];
  if (isId('artifact', dataset))
    throw new CliError('usage', 'name the dataset', { next: 'see `ringfence dataset ls`' });
  return { dataset, ...(version === undefined ? {} : { version: Number(version) }) };
}
