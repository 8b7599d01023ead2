import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const HEAD = ['ACCOUNT', 'ROLES', 'SHOWN BY', 'KEYS UNTIL', 'SINCE'];

export const command: Command = {
  usage: '',
  summary: 'the workloads that may ask the control plane, and how each shows who it is',
  options: {},
  words: [0, 0],
  async run(context) {
    const accounts = await withSession(context, ({ controlPlane }) => controlPlane.serviceAccounts());
    context.terminal.value({ accounts });
    const rows = accounts.map(({ account, roles, federations, keys, since }) => [
      account,
      roles.map(({ role }) => role).join(' '),
      federations.map(({ issuer, audience, subject }) => `${subject} of ${issuer} for ${audience}`).join(', ') ||
        'a key',
      keys.map(({ ends }) => momentText(ends)).join(', ') || '-',
      momentText(since),
    ]);
    context.terminal.line(tableOr('no workload may ask', HEAD, rows));
  },
};
