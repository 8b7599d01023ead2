import type { OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { FederationRole } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';

/** A job that an organisation has to order for a contract to be carried out. */
export interface OwnJob {
  readonly role: FederationRole;
  /** Of a client. */
  readonly dataset?: string;
  /** Its job file. */
  readonly text: string;
}

/** What an agent that restarts is tried again, however often a federation of many rounds may see that. */
const RETRIES = 99;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** A digest as a job file can hold one: the word of a name has at most 63 letters. */
const NAMED_LETTERS = 40;

/** The jobs of `org` in a contract: one client for each of its datasets, and the aggregator where that agent is its own. */
export function ownJobs(terms: Contract, contract: Digest, org: OrgId): OwnJob[] {
  const clients = terms.clients.flatMap(({ org: of, dataset }): OwnJob[] =>
    of === org
      ? [{ role: 'client', dataset: dataset.name, text: clientText(terms, contract, { org, dataset: dataset.name }) }]
      : [],
  );
  const sums = terms.aggregator.org === org;
  return [...clients, ...(sums ? [{ role: 'aggregator', text: aggregatorText(terms, contract) } as const] : [])];
}

function clientText(terms: Contract, contract: Digest, { org, dataset }: { org: OrgId; dataset: string }): string {
  const output = terms.outputs.find(({ recipients }) => recipients.includes(org));
  return [
    `name: ${nameOf(terms, dataset)}`,
    ...common(terms, contract, 'client'),
    `mounts: {/data: {dataset: "${dataset}"}}`,
    ...(output === undefined ? [] : [`outputs: {/out: {artifact: "${output.artifact}"}}`]),
    '',
  ].join('\n');
}

function aggregatorText(terms: Contract, contract: Digest): string {
  return [`name: ${nameOf(terms, 'aggregator')}`, ...common(terms, contract, 'aggregator'), ''].join('\n');
}

function common({ rounds }: Contract, contract: Digest, role: FederationRole): string[] {
  // Rounds that are given up are done again, and the others may come late.
  const longest = Math.min(YEAR_MS, Math.max(HOUR_MS, 4 * rounds.count * rounds.longestMs));
  return [
    'type: federate',
    `federation: {contract: "${contract.slice(0, NAMED_LETTERS)}", role: ${role}}`,
    `retry: {on: [interruption, no-capacity], max: ${RETRIES}}`,
    `max_duration: ${Math.ceil(longest / 1_000)}s`,
  ];
}

/** Names have at most 63 letters. */
function nameOf({ name }: Contract, part: string): string {
  return `"${`${name.slice(0, 31)}-${part.slice(0, 31)}`.replace(/[._-]+$/, '')}"`;
}
