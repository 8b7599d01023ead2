import { parseProfileFile } from '@ringfence/protocol/job-file';
import type { Command } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { signProfile } from '../rules/sign-profile.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE',
  summary: 'sign a named set of requirements that jobs can name; it replaces the version before (officers)',
  options: {},
  words: [1, 1],
  async run(context, [path = '']) {
    const file = parseProfileFile(readTextFile(path, 'name a profile: docs/policy.md has one'));
    const set = await withSession(context, (session) => signProfile(context, session, file));
    context.terminal.value({ set });
    context.terminal.line(`${set.name} is set, version ${set.seq}; jobs that name it are held to it from now on`);
  },
};
