import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '[--rotate]',
  summary: 'the certificates that callers pin, as PEM (--rotate: a new one takes over in a week)',
  options: { rotate: { type: 'boolean' } },
  words: [0, 0],
  async run(context, _, flags) {
    const { issuer } = await withSession(context, ({ custodian }) =>
      flags['rotate'] === true ? custodian.rotateIssuer() : custodian.endpoints(),
    );
    context.terminal.value({ issuer });
    context.terminal.line(issuer.trimEnd());
  },
};
