import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME',
  summary: 'end an endpoint: its replicas drain and stop, its tokens are void',
  options: {},
  words: [1, 1],
  async run(context, [name = '']) {
    await withSession(context, ({ custodian }) => custodian.removeEndpoint(name));
    context.terminal.value({ removed: name });
    context.terminal.line(`${name} is removed; its replicas finish what they are at and stop`);
  },
};
