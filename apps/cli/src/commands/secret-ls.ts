import { formatDuration } from '@ringfence/base';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'names of the secrets that the custodian keeps; values are shown to nobody',
  options: {},
  words: [0, 0],
  async run(context) {
    const secrets = await withSession(context, ({ custodian }) => custodian.secrets());
    context.terminal.value({ secrets });
    const now = context.clock.now();
    const cells = secrets.map(({ name, at, device }) => [name, `${formatDuration(Math.max(0, now - at))} ago`, device]);
    context.terminal.line(tableOr('no secrets yet: `ringfence secret set NAME`', ['NAME', 'SET', 'BY'], cells));
  },
};
