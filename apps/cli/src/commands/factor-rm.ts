import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'take your authenticator and recovery codes away from the custodian (after a step-up)',
  options: {},
  words: [0, 0],
  async run(context) {
    await withSession(context, async ({ custodian }) => {
      await custodian.access.removeTotp();
      context.terminal.value({ removed: 'totp' });
      context.terminal.line('you have no authenticator at the custodian any more');
    });
  },
};
