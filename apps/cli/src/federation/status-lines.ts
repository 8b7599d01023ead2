import { formatDuration, type AgentId, type EpochMs } from '@ringfence/base';
import type { FederationAnswer, PrivacyRow, RoundRow } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { roundedDown, roundedUp } from '../privacy/rounded.ts';
import { table } from '../terminal.ts';
import { evaluationLines } from './evaluation-lines.ts';

/** What is known of a federation, to be shown. */
export interface FederationView {
  readonly terms: Contract;
  readonly answer: FederationAnswer;
  /** Accounts of this organisation's datasets in it. */
  readonly privacy: readonly PrivacyRow[];
  /** States of its jobs, by the control plane. */
  readonly states: ReadonlyMap<string, string>;
}

const SHOWN_ROUNDS = 10;

/** The lines of `federation status`. */
export function statusLines({ terms, answer, privacy, states }: FederationView, now: EpochMs): string[] {
  const { name, contract, paused, stopped, jobs, rounds, given } = answer;
  const isSum = ({ report }: RoundRow): boolean => report?.outcome === 'summed' && report.task !== 'evaluate';
  const summed = new Set(rounds.filter(isSum).map(({ round }) => round)).size;
  return [
    `Contract ${name} (${contract.slice(0, 16)})${paused ? ', paused here: no round begins' : ''}`,
    ...(stopped === true
      ? [
          'Stopped  too many rounds in a row came to nothing, each of them debited: ask why at the aggregator; `ringfence federation resume` lets rounds begin again',
        ]
      : []),
    `Rounds   ${summed} of ${terms.rounds.count} summed; ${given} begun by this organisation's agents`,
    ...jobs.map(
      ({ job, role, dataset, at, state }) =>
        `Job      ${job} (${role}${dataset === undefined ? '' : `, ${dataset}`}): ${states.get(job) ?? state}, ordered ${formatDuration(Math.max(0, now - at))} ago`,
    ),
    ...evaluationLines(terms, rounds),
    ...missingLines(terms, rounds),
    ...privacyLines(terms, answer, privacy),
    ...(rounds.length === 0 ? [] : [roundTable(terms, rounds)]),
  ];
}

/** Whose updates were not in the newest sum. */
function missingLines(terms: Contract, rounds: readonly RoundRow[]): string[] {
  const newest = rounds.find(({ report }) => report !== undefined);
  const missing = newest?.report?.missing ?? [];
  if (newest === undefined || missing.length === 0) return [];
  return [`Missing  in round ${newest.round}: ${missing.map((agent) => partyOf(terms, agent)).join(', ')}`];
}

/** Who an agent is with, and which of its datasets it trains on. */
export function partyOf({ clients, parties }: Contract, agent: AgentId): string {
  const client = clients.find((one) => one.agent === agent);
  const party = parties.find(({ org }) => org === client?.org)?.name;
  return client === undefined || party === undefined ? agent : `${party} (${client.dataset.name})`;
}

function privacyLines({ privacy: { noise } }: Contract, { contract }: FederationAnswer, rows: readonly PrivacyRow[]) {
  if (noise === null) return ['Privacy  no noise: each round is a release that is not counted'];
  return rows.flatMap(({ name, budget, spent, contracts }) =>
    contracts
      .filter((row) => row.contract === contract)
      .map(({ outsiders, member, others, grade }) => {
        const left = spent === null ? '' : `; ${roundedDown(spent.left, 3)} of its budget left`;
        const delta = budget === null ? '' : ` at delta ${budget.delta}`;
        return `Privacy  ${name}: epsilon ${figure(outsiders)} against outsiders, ${figure(member)} against one curious member, ${figure(others)} against all others together${delta} (${grade})${left}`;
      }),
  );
}

function figure(epsilon: number | null | undefined): string {
  return epsilon === null || epsilon === undefined ? 'unbounded' : roundedUp(epsilon, 3);
}

function roundTable(terms: Contract, rounds: readonly RoundRow[]): string {
  const rows = rounds
    .slice(0, SHOWN_ROUNDS)
    .map(({ round, agent, report }) => [
      String(round),
      partyOf(terms, agent),
      report === undefined ? 'begun' : `${outcomeOf(report)}${report.why === undefined ? '' : ` (${report.why})`}`,
      report === undefined ? '' : `${report.survivors.length} of ${terms.clients.length}`,
      report?.examples === undefined ? '' : String(report.examples),
      report?.metrics?.['loss']?.toFixed(4) ?? '',
    ]);
  return table(['ROUND', 'CLIENT', 'OUTCOME', 'IN THE SUM', 'EXAMPLES', 'LOSS'], rows);
}

function outcomeOf({ outcome, task }: NonNullable<RoundRow['report']>): string {
  return task === 'evaluate' && outcome === 'summed' ? 'tested' : outcome;
}
