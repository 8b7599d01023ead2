import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { statusLines } from './status-lines.ts';
import type { NamedContract } from './which-contract.ts';

/** Prints what this organisation knows of a federation. */
export async function showStatus(
  { terminal, clock }: CommandContext,
  { custodian, controlPlane, profile }: Session,
  { row, terms }: NamedContract,
): Promise<void> {
  const answer = await custodian.federations.show(row.contract);
  const own = new Set(terms.clients.flatMap(({ org, dataset }) => (org === profile.org ? [dataset.name] : [])));
  const [privacy, jobs] = await Promise.all([custodian.privacy.status(), controlPlane.jobs()]);
  const accounts = privacy.filter(({ name }) => own.has(name));
  const states = new Map(jobs.map(({ job, state }) => [job as string, state as string]));
  const told = answer.jobs.map((job) => ({ ...job, state: states.get(job.job) ?? job.state }));
  terminal.value({ ...answer, state: row.state, faults: row.faults, jobs: told, privacy: accounts });
  for (const line of statusLines({ terms, answer, privacy: accounts, states }, clock.now())) terminal.line(line);
  if (row.state !== 'held')
    terminal.note(`the contract is ${row.state}: no round begins; \`ringfence contract ls\` says why`);
}
