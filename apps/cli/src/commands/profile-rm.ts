import type { Command } from '../command.ts';
import { profileCalled } from '../rules/profile-list.ts';
import { signProfile } from '../rules/sign-profile.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME',
  summary: 'remove a profile: no further job is launched with it (officers)',
  options: {},
  words: [1, 1],
  async run(context, [name = '']) {
    await withSession(context, async (session) => {
      await profileCalled(context, session, name);
      await signProfile(context, session, { name, requirements: null });
    });
    context.terminal.value({ removed: name });
    context.terminal.line(`${name} is removed; jobs that were launched with it stay held to it`);
  },
};
