import type { Command } from '../command.ts';
import { versionLines } from '../key/key-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'versions of the project’s key at the custodian: which one wraps, which ones are destroyed',
  options: {},
  words: [0, 0],
  async run(context) {
    const keys = await withSession(context, ({ custodian }) => custodian.keys.status());
    context.terminal.value({ projectKeys: keys.projectKeys });
    context.terminal.line(versionLines(keys));
  },
};
