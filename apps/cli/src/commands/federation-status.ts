import type { Command } from '../command.ts';
import { showStatus } from '../federation/show-status.ts';
import { whichContract } from '../federation/which-contract.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT',
  summary:
    'rounds, who was missing, sums of losses, and what privacy it cost against outsiders, one member, all others',
  options: {},
  words: [1, 1],
  async run(context, [word = '']) {
    await withSession(context, async (session) => {
      await showStatus(context, session, await whichContract(session, word));
    });
  },
};
