import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';
import type { NamedContract } from './which-contract.ts';

/** The newest version of the model that a client of this organisation brought home. Throws CliError `not-found`. */
export async function modelOf(
  { custodian, profile }: Session,
  { row, terms }: NamedContract,
): Promise<{ readonly name: string; readonly version: number }> {
  const { jobs } = await custodian.federations.show(row.contract);
  const committed = jobs.filter(({ role, state }) => role === 'client' && state === 'committed');
  for (const { job } of committed) {
    const [output] = (await custodian.job(job)).outputs;
    if (output !== undefined) return { name: output.name, version: output.version };
  }
  const isRecipient = terms.outputs.some(({ recipients }) => recipients.includes(profile.org));
  throw new CliError('not-found', 'there is no model of this federation here', {
    next: isRecipient
      ? '`ringfence federation status` says how far it is'
      : 'the contract names others as recipients of the model',
  });
}
