import { isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'SESSION',
  summary: 'end the session of a browser at the control plane',
  options: {},
  words: [1, 1],
  async run(context, [session = '']) {
    if (!isId('session', session))
      throw new CliError('usage', 'this is no id of a session', { next: 'see `ringfence session ls`' });
    const ended = await withSession(context, ({ controlPlane }) => controlPlane.endSession(session));
    context.terminal.value({ ended });
    context.terminal.line(ended === 0 ? `${session} had ended before` : `${session} has ended`);
  },
};
