import type { Command } from '../command.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const HEAD = ['MEMBER', 'STATE', 'ROLES', 'FACTORS', 'SESSIONS'];

export const command: Command = {
  usage: '',
  summary: 'who signs in at the control plane, by random ids',
  options: {},
  words: [0, 0],
  async run(context) {
    const members = await withSession(context, ({ controlPlane }) => controlPlane.members());
    context.terminal.value({ members });
    const rows = members.map(({ member, state, roles, factors, sessions }) => [
      member,
      state,
      roles.map(({ role, project }) => (project === undefined ? role : `${role} in ${project}`)).join(', '),
      factors.join(', ') || '-',
      String(sessions),
    ]);
    context.terminal.line(tableOr('nobody yet: see `ringfence member invite`', HEAD, rows));
  },
};
