import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const HEAD = ['SESSION', 'MEMBER', 'SINCE', 'LAST USED', 'UNTIL'];

export const command: Command = {
  usage: '',
  summary: 'the browsers that are signed in at the control plane',
  options: {},
  words: [0, 0],
  async run(context) {
    const sessions = await withSession(context, ({ controlPlane }) => controlPlane.sessions());
    context.terminal.value({ sessions });
    const rows = sessions.map(({ session, member, since, seen, until }) => [
      session,
      member,
      momentText(since),
      momentText(seen),
      momentText(until),
    ]);
    context.terminal.line(tableOr('no browser is signed in', HEAD, rows));
  },
};
