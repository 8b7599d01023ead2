import { isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'MEMBER',
  summary: 'take somebody out of the control plane: sessions end, factors are forgotten',
  options: {},
  words: [1, 1],
  async run(context, [member = '']) {
    if (!isId('member', member))
      throw new CliError('usage', 'this is no id of a member', { next: 'see `ringfence member ls`' });
    await withSession(context, ({ controlPlane }) => controlPlane.removeMember(member));
    context.terminal.value({ removed: member });
    context.terminal.line(`${member} signs in no more; their devices are in the keyring, see \`ringfence device ls\``);
  },
};
