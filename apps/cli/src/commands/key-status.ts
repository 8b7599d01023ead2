import type { Command } from '../command.ts';
import { statusLines } from '../key/key-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'who holds the organisation’s key and whether they answer, how far a rotation is, and what was shredded',
  options: {},
  words: [0, 0],
  async run(context) {
    const keys = await withSession(context, ({ custodian }) => custodian.keys.status());
    context.terminal.value(keys);
    context.terminal.line(statusLines(keys).join('\n'));
  },
};
