import { readNotices } from '../account/notices.ts';
import { showNotices } from '../account/told-notices.ts';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'what you are told: changes and uses of your ways in, what waits for officers, what ends soon',
  options: {},
  words: [0, 0],
  async run(context) {
    // All of it is shown here: nothing is told once more afterwards.
    showNotices(context, await withSession({ ...context, afterwards: undefined }, (session) => readNotices(session)));
  },
};
