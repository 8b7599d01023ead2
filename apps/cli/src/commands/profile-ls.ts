import { formatDuration } from '@ringfence/base';
import type { Command } from '../command.ts';
import { listedProfiles } from '../rules/profile-list.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'profiles that jobs can name',
  options: {},
  words: [0, 0],
  async run(context) {
    const listed = await withSession(context, (session) => listedProfiles(context, session));
    const profiles = listed.filter(({ statement }) => statement.requirements !== null);
    context.terminal.value({ profiles });
    const now = context.clock.now();
    const cells = profiles.map(({ statement: { name, seq, at, requirements }, counts }) => [
      name,
      String(seq),
      `${formatDuration(Math.max(0, now - at))} ago`,
      counts ? Object.keys(requirements ?? {}).join(', ') : 'not signed by an officer of now: set it again',
    ]);
    context.terminal.line(
      tableOr('no profiles yet: `ringfence profile set FILE`', ['NAME', 'VERSION', 'SET', 'SAYS'], cells),
    );
  },
};
