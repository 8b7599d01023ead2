import { isId } from '@ringfence/base';
import { payloadName } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'DEVICE [--like DEVICE] [--name NAME]',
  summary: 'say whose a device is, for good: the same person’s as another; or what that person is called (officers)',
  options: { like: { type: 'string' }, name: { type: 'string' } },
  words: [1, 1],
  async run(context, [device = ''], flags) {
    const [like, name] = [text(flags, 'like'), text(flags, 'name')];
    if (!isId('device', device) || (like !== undefined && !isId('device', like)) || (like ?? name) === undefined)
      throw new CliError('usage', 'a device is named by its id, and said to be like another or named', {
        next: `ringfence device member ${this.usage}`,
      });
    const parsed = payloadName.optional().safeParse(name);
    if (!parsed.success)
      throw new CliError('usage', 'a name is letters, digits and dashes', { next: 'choose another' });
    await withSession(context, async ({ custodian }) => {
      const answer = await custodian.access.nameMember({
        device,
        ...(like === undefined ? {} : { like }),
        ...(parsed.data === undefined ? {} : { name: parsed.data }),
      });
      const member = answer.members.find(({ devices }) => devices.includes(device));
      context.terminal.value({ member });
      context.terminal.line(`${member?.name ?? member?.member}: ${member?.devices.join(' ')}`);
    });
  },
};
