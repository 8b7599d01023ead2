import type { Command } from '../command.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '[--code-file FILE]',
  summary: 'show a code of your authenticator, or a recovery code, to the custodian: grave actions ask for one',
  options: { 'code-file': { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const code = await secretInput(context, flags, { flag: 'code', prompt: 'code' });
    await withSession(context, async ({ custodian }) => {
      const { given } = await custodian.access.stepUp(code);
      context.terminal.value({ given });
      context.terminal.line(
        given === 'totp'
          ? 'taken: for 15 minutes grave actions count it, for 5 the highest'
          : 'taken: set up another authenticator within 15 minutes (ringfence factor add totp)',
      );
    });
  },
};
