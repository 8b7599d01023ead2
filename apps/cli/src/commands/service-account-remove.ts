import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'ACCOUNT',
  summary: 'let a workload ask no more; its keys end at once',
  options: {},
  words: [1, 1],
  async run(context, [account = '']) {
    await withSession(context, ({ controlPlane }) => controlPlane.removeServiceAccount(account));
    context.terminal.value({ removed: account });
    context.terminal.line(`${account} asks no more`);
  },
};
