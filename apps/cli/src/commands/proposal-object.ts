import type { Command } from '../command.ts';
import { progressText, proposalOf } from '../proposals/proposal-text.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'PROPOSAL',
  summary: 'say no to a proposal: it is over (officers and owners; takes no step-up)',
  options: {},
  words: [1, 1],
  async run(context, [id = '']) {
    await withSession(context, async ({ custodian }) => {
      const now = proposalOf(await custodian.access.objectTo(id), id);
      context.terminal.value({ proposal: now });
      context.terminal.line(`${id}: ${progressText(now)}`);
    });
  },
};
