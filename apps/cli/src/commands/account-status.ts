import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'whose this device is to the control plane, which factors it was given, and how sure that makes',
  options: {},
  words: [0, 0],
  async run(context) {
    const account = await withSession(context, ({ controlPlane }) => controlPlane.account());
    context.terminal.value(account);
    const { member, signInName, mode, level, enrolled, given, roles, recoveryCodesLeft } = account;
    const words = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
    const lines = [
      `member          ${member === null ? 'not known yet: the first step-up tells' : `${member} (${signInName})`}`,
      `roles           ${words(roles.map(({ role, project }) => (project === undefined ? role : `${role} in ${project}`)))}`,
      `level           ${level}${mode === 'device-only' ? ' (device-only: no owner or officer has enrolled a factor)' : ''}`,
      `given           ${words(given.map(({ kind, at }) => `${kind} at ${momentText(at)}`))}`,
      `enrolled        ${words(enrolled)}`,
      `recovery codes  ${recoveryCodesLeft}`,
    ];
    context.terminal.line(lines.join('\n'));
  },
};
