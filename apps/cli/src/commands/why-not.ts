import { isId, type OfferId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { whichJob } from '../job/which-job.ts';
import { fixUnderPool, notAwayLines } from '../pool/not-away.ts';
import { scoreText } from '../placement/score-text.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: 'JOB OFFER|SERVER',
  summary: 'everything for which one offer does not take a job now, or its score',
  options: {},
  words: [2, 2],
  async run(context, [word = '', other = '']) {
    await withSession(context, async (session) => {
      const job = await whichJob(session, word);
      const offer = await whichOffer(session, other);
      const why = await session.controlPlane.whyNot(job, offer);
      context.terminal.value({ job, offer, ...why });
      if (why.fits) context.terminal.line(`it could take the job: ${scoreText(why.score, why.terms)}`);
      else {
        // Its pool may be what refuses it.
        const { notAway } = await session.controlPlane.why(job);
        for (const constraint of why.failed)
          context.terminal.line(`${constraint}: ${fixUnderPool(constraint, notAway)}`);
        for (const line of notAwayLines(why.failed.includes('tier') ? notAway : [])) context.terminal.line(line);
      }
    });
  },
};

/** The offer that a word names: its id, or a server by id or name. Throws CliError `not-found`. */
async function whichOffer({ controlPlane, custodian }: Session, word: string): Promise<OfferId> {
  if (isId('offer', word)) return word;
  const offers = await controlPlane.offers();
  const agent = isId('agent', word) ? word : (await custodian.agents()).find(({ name }) => name === word)?.agent;
  const found = offers.find((offer) => offer.agent === agent);
  if (found !== undefined) return found.offer;
  throw new CliError('not-found', 'there is no such offer or server', { next: 'see `ringfence offers`' });
}
