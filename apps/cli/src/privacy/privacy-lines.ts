import type { PrivacyUnit } from '@ringfence/protocol/federation';
import type { PrivacyRow } from '@ringfence/protocol/payload';
import { roundedDown, roundedUp } from './rounded.ts';
import { momentText } from '../placement/moment-text.ts';
import type { Terminal } from '../terminal.ts';

/** Accounts, as JSON or for people. */
export function showAccounts(terminal: Terminal, datasets: readonly PrivacyRow[]): void {
  terminal.value({ datasets });
  for (const row of datasets) for (const line of privacyLines(row)) terminal.line(line);
}

/** The account of one dataset, for people. */
export function privacyLines(row: PrivacyRow): string[] {
  return [
    `${row.name} (${row.artifact})${row.contractOnly ? ', for federations alone' : ''}`,
    ...budgetLines(row),
    ...row.contracts.flatMap((contract) => contractLines(contract)),
    ...(row.family.length === 0 ? [] : [`  counted together with ${row.family.join(', ')}`]),
    ...row.uncounted.map((use) => `  not counted: ${useText(use)}`),
  ];
}

function budgetLines({ budget, spent, doubt, settled }: PrivacyRow): string[] {
  const past = [
    ...(doubt === null
      ? []
      : [
          `  ${DOUBTS[doubt.cause]} on ${momentText(doubt.at)}: what was spent until then is not known, and nothing more is allowed (\`ringfence dp settle\`)`,
        ]),
    ...(settled === null
      ? []
      : [
          `  everything before ${momentText(settled.at)} is taken for epsilon ${settled.epsilon}, delta ${settled.delta}`,
        ]),
  ];
  if (budget === null || spent === null)
    return ['  no budget: no round with noise is allowed (`ringfence dp budget`)', ...past];
  const declared = spent.enforced === spent.epsilon ? '' : `, of it ${epsilonText(spent.enforced)} enforced`;
  return [
    `  budget   epsilon ${budget.epsilon} at delta ${budget.delta}, unit ${unitText(budget.unit)}`,
    `  spent    epsilon ${epsilonText(spent.epsilon)}${declared}`,
    `  left     epsilon ${roundedDown(spent.left, 4)}`,
    ...past,
  ];
}

const DOUBTS = { restored: 'restored from an archive', 'rolled-back': 'the database was put back' } as const;

function contractLines(row: PrivacyRow['contracts'][number]): string[] {
  const views = [
    ['outsiders', row.outsiders],
    ['one curious member', row.member],
    ['all others together', row.others],
  ] as const;
  return [
    `  contract ${row.contract.slice(0, 16)}: ${row.rounds} rounds, unit ${unitText(row.unit)}, ${row.grade}: epsilon ${epsilonText(row.epsilon)}`,
    ...views.flatMap(([who, epsilon]) =>
      epsilon === undefined ? [] : [`    against ${who}: epsilon ${epsilonText(epsilon)}`],
    ),
  ];
}

function useText({ dataset, contract, job, times, first, last }: PrivacyRow['uncounted'][number]): string {
  const what =
    contract === null
      ? `${times} ${times === 1 ? 'start' : 'starts'} of ${job ?? 'a job'}`
      : `${times} rounds without noise of contract ${contract.slice(0, 16)}`;
  const when = first === last ? momentText(first) : `${momentText(first)} to ${momentText(last)}`;
  return `${what}, ${when}${dataset === null ? '' : `, on ${dataset}`}`;
}

/** A unit in words. */
export function unitText(unit: PrivacyUnit): string {
  return unit.kind === 'person' ? `person (${unit.column}, at most ${unit.mostRows} rows)` : unit.kind;
}

function epsilonText(epsilon: number | null): string {
  return epsilon === null ? 'without bound' : roundedUp(epsilon, 4);
}
