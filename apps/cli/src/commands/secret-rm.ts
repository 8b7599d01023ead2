import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME',
  summary: 'remove a secret: attempts that need it do not start any more',
  options: {},
  words: [1, 1],
  async run(context, [name = '']) {
    await withSession(context, ({ custodian }) => custodian.removeSecret(name));
    context.terminal.value({ removed: name });
    context.terminal.line(`${name} is removed; attempts that run keep the value that they were given`);
  },
};
