import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KeyringError, readContract, readContractFile } from '@ringfence/keyring';
import { parseJobFile } from '@ringfence/protocol/job-file';
import type { FederationAnswer } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { planJob, showLaunchPlan } from '../commands/plan.ts';
import { confirmLaunch } from '../job/confirm-launch.ts';
import { orderJobs } from '../job/order-jobs.ts';
import type { LabelledJob } from '../job/prepared-job.ts';
import type { Session } from '../session.ts';
import { ownJobs, type OwnJob } from './own-jobs.ts';
import { heldContract, type NamedContract } from './which-contract.ts';

/** Which of the organisation's jobs are ordered. */
export interface StartWish {
  /** The contract by name, digest or file. */
  readonly word: string;
  /** These clients alone; all when empty. */
  readonly datasets: readonly string[];
  /** The aggregator alone. */
  readonly aggregator: boolean;
  /** Folder with the code that the contract names. */
  readonly workdir: string;
  readonly yes: boolean;
}

/** Orders this organisation's jobs of a contract, but those that go on already. Throws CliError `not-found`, `check-failed`, `usage`, and what `launch` throws. */
export async function startFederation(context: CommandContext, session: Session, wish: StartWish): Promise<void> {
  const { terminal } = context;
  const found = await heldContract(session, await keptWord(session, wish.word));
  const { contract } = found.row;
  const known = await session.custodian.federations.show(contract);
  const planned: LabelledJob[] = [];
  for (const job of wishedJobs(found, session, wish)) {
    const before = goesOn(known, job);
    if (before === undefined) {
      await noteNeighbours(context, session, found, job);
      const read = { file: parseJobFile(job.text), workdir: resolve(wish.workdir) };
      const { labelled, plan } = await planJob(context, session, read);
      await showLaunchPlan(context, session, labelled, plan);
      planned.push(labelled);
    } else terminal.note(`${job.dataset ?? 'the aggregator'} goes on already: ${before.job}`);
  }
  if (planned.length > 0 && !wish.yes) await confirmLaunch(context);
  for (const labelled of planned) {
    await orderJobs(context, session, [labelled]);
    const { role } = labelled.agreed?.federation ?? {};
    terminal.value({ event: 'submitted', contract, job: labelled.id, role });
    terminal.line(`Ordered  ${labelled.id} (${role ?? ''}, ${labelled.job.name})`);
  }
  terminal.line(`Rounds   \`ringfence federation status ${found.terms.name}\``);
}

/** A file is given to the custodian first; what it is called from then on. */
async function keptWord({ custodian }: Session, word: string): Promise<string> {
  if (!existsSync(word)) return word;
  try {
    const file = readContractFile(readFileSync(word));
    await custodian.contracts.keep(file);
    return readContract(file).digest;
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CliError('bad-file', `${word} is no contract file`, { cause, next: 'see `ringfence contract verify`' });
  }
}

function wishedJobs({ row, terms }: NamedContract, { profile }: Session, wish: StartWish): OwnJob[] {
  const all = ownJobs(terms, row.contract, profile.org);
  const wished = all.filter(({ role, dataset }) => {
    if (wish.aggregator) return role === 'aggregator';
    return wish.datasets.length === 0 || (dataset !== undefined && wish.datasets.includes(dataset));
  });
  if (wished.length > 0) return wished;
  const has = all.map(({ role, dataset }) => dataset ?? role).join(', ');
  throw new CliError('check-failed', 'the contract asks for no such job of this organisation', {
    next: has === '' ? 'others start it: this organisation has neither data nor the aggregator in it' : `it has ${has}`,
  });
}

function goesOn({ jobs }: FederationAnswer, { role, dataset }: OwnJob): FederationAnswer['jobs'][number] | undefined {
  return jobs.find((job) => job.state === 'open' && job.role === role && job.dataset === dataset);
}

/** Jobs are placed by site: where another agent is at the same one, it may be chosen, and the custodian refuses it. */
async function noteNeighbours(
  { terminal }: CommandContext,
  { custodian, profile }: Session,
  { terms }: NamedContract,
  { role, dataset }: OwnJob,
): Promise<void> {
  const client = terms.clients.find(({ org, dataset: { name } }) => org === profile.org && name === dataset);
  const named = role === 'aggregator' ? terms.aggregator.agent : client?.agent;
  const agents = (await custodian.agents()).filter(({ removed }) => !removed);
  const own = agents.find(({ agent }) => agent === named);
  const others = agents.filter(({ agent, site }) => agent !== named && site === own?.site);
  if (own === undefined || others.length === 0) return;
  terminal.note(
    `${own.site} has more servers than ${own.name}, which alone may run this job: an attempt that is placed at another one is refused and tried again; \`ringfence agent drain\` keeps it from them`,
  );
}
