import { noticeLine, readNotices } from '../account/notices.ts';
import { keepTold } from '../account/told-notices.ts';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'what you are told: changes and uses of your ways in, what waits for officers, what ends soon',
  options: {},
  words: [0, 0],
  async run(context) {
    const { notices, silent } = await withSession(context, async (session) => {
      const read = await readNotices(session);
      keepTold(context.home, context.clock.now(), read.notices);
      return read;
    });
    context.terminal.value({ notices, silent });
    context.terminal.line(notices.length === 0 ? 'nothing' : notices.map(noticeLine).join('\n'));
    for (const [place, code] of Object.entries(silent)) context.terminal.line(`the ${place} did not answer: ${code}`);
  },
};
