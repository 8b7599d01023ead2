import type { Command } from '../command.ts';
import { profileCalled } from '../rules/profile-list.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME',
  summary: 'what a profile demands, and who signed it',
  options: {},
  words: [1, 1],
  async run(context, [name = '']) {
    const { statement, counts } = await withSession(context, (session) => profileCalled(context, session, name));
    context.terminal.value({ profile: statement, counts });
    const { seq, device, requirements } = statement;
    const signer = counts ? 'an officer' : 'no officer any more: set it again';
    context.terminal.line(`${name}, version ${seq}, signed by ${device} (${signer})`);
    for (const [field, asked] of Object.entries(requirements ?? {}))
      context.terminal.line(`  ${field}: ${JSON.stringify(asked)}`);
  },
};
