import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { endReleaseWord } from '../release/end-words.ts';
import { requestLines } from '../release/release-lines.ts';
import { requestNamed } from '../release/which-request.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'REQUEST',
  summary: 'end, as an owner of the data, what was released on a request; what was opened stays opened',
  options: {},
  words: [1, 1],
  async run(context, [word = '']) {
    const { terminal } = context;
    const { row, org } = await withSession(context, async (session) => {
      const request = requestNamed(word);
      const { request: asked } = await session.custodian.release.review(request, { preview: false });
      const given = asked.words.filter(({ decision, ended }) => decision === 'released' && !ended);
      if (given.length === 0)
        throw new CliError('not-found', 'nothing is released on this request', { next: 'see `ringfence release ls`' });
      // An owner's own word where there is one: without it the others open nothing.
      const ends = given.find(({ device }) => device === session.profile.device) ?? given[0];
      if (ends !== undefined) await endReleaseWord(context, session, ends.word);
      const after = await session.custodian.release.review(request, { preview: false });
      return { row: after.request, org: session.profile.org };
    });
    terminal.value(row);
    for (const line of requestLines(row, org)) terminal.line(line);
  },
};
