import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'PROVIDER',
  summary: 'let nobody sign in at an identity provider any more',
  options: {},
  words: [1, 1],
  async run(context, [provider = '']) {
    await withSession(context, ({ controlPlane }) => controlPlane.removeProvider(provider));
    context.terminal.value({ removed: provider });
    context.terminal.line(`${provider} signs nobody in any more; whom it was linked to is forgotten`);
  },
};
