import { signStatement } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import type { JobView } from '@ringfence/protocol/api';
import { whichJob } from '../job/which-job.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'JOB --attempt N',
  summary: 'give up an attempt whose machine is off or out of reach for good, so that another may follow (officers)',
  options: { attempt: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const { view, before } = await withSession(context, async (session) => {
      const { custodian, controlPlane, profile, keys } = session;
      const job = await whichJob(session, word);
      const newest = (await controlPlane.job(job)).attempts.at(-1);
      if (newest === undefined)
        throw new CliError('not-found', 'the job has no attempt', { next: 'see `ringfence status`' });
      const last = newest.attempt;
      // Typed by the officer: it names what they looked at, not what came since.
      if (flags['attempt'] !== String(last))
        throw new CliError('usage', `the newest attempt is ${last}`, {
          next: `make sure that its machine is off, then: ringfence fence ${word} --attempt ${last}`,
        });
      const body = {
        v: 1,
        org: profile.org,
        job,
        attempt: last,
        device: profile.device,
        at: context.clock.now(),
      } as const;
      const fence = signStatement('fence', body, [keys.sign]);
      // The custodian first: it alone knows who is an officer, and its grant is what lets the next attempt open anything.
      await custodian.fence(job, fence);
      return { view: await controlPlane.fence(job, fence), before: newest };
    });
    context.terminal.value(view);
    context.terminal.line(fencedText(view, before));
  },
};

/** What came of a fence; of an attempt that its agent had ended, or never began, nothing did. */
export function fencedText(
  { job, state }: Pick<JobView, 'job' | 'state'>,
  { attempt, state: was, outcome }: Pick<JobView['attempts'][number], 'attempt' | 'state' | 'outcome'>,
): string {
  if (was === 'stopped' || was === 'refused')
    return `attempt ${attempt} of ${job} was over already (${outcome ?? was}): there was nothing to fence; the job is ${state}`;
  return `attempt ${attempt} of ${job} is fenced; the job is ${state}`;
}
