import type { Command } from '../command.ts';
import { statusLines } from '../key/key-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME',
  summary: 'who holds the organisation’s key from now on, by the name in the custodian’s configuration; rotates to it',
  options: {},
  words: [1, 1],
  async run(context, [name = '']) {
    const keys = await withSession(context, ({ custodian }) => custodian.keys.move(name));
    context.terminal.value(keys);
    context.terminal.line(statusLines(keys).join('\n'));
  },
};
