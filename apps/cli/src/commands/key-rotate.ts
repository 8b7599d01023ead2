import type { Command } from '../command.ts';
import { statusLines } from '../key/key-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'give the organisation and its project new keys; data keys are wrapped again in the background',
  options: {},
  words: [0, 0],
  async run(context) {
    const keys = await withSession(context, ({ custodian }) => custodian.keys.rotate());
    context.terminal.value(keys);
    context.terminal.line(statusLines(keys).join('\n'));
    context.terminal.line('it goes on by itself: see `ringfence key status`');
  },
};
