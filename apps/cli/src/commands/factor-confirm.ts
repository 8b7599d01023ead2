import type { Command } from '../command.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '[--code-file FILE]',
  summary: 'confirm the authenticator that was begun by its first code; prints recovery codes, once',
  options: { 'code-file': { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const code = await secretInput(context, flags, { flag: 'code', prompt: 'code of the new authenticator' });
    await withSession(context, async ({ custodian }) => {
      const recoveryCodes = await custodian.access.confirmTotp(code);
      context.terminal.value({ recoveryCodes });
      context.terminal.line(recoveryCodes.join('\n'));
      context.terminal.note(
        'these set up another authenticator when this one is lost, each once: keep them off this machine',
      );
    });
  },
};
