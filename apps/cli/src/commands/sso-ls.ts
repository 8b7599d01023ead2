import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const HEAD = ['PROVIDER', 'ISSUER', 'CLIENT', 'ALGORITHMS', 'TAKEN FOR LEVEL', 'BY ACR', 'SINCE'];

export const command: Command = {
  usage: '',
  summary: 'the identity providers at which members sign in',
  options: {},
  words: [0, 0],
  async run(context) {
    const list = await withSession(context, ({ controlPlane }) => controlPlane.providers());
    context.terminal.value(list);
    const rows = list.providers.map(({ provider, issuer, clientId, algorithms, assures, acr, since }) => [
      provider,
      issuer,
      clientId,
      algorithms.join(' '),
      String(assures),
      acr ?? '-',
      momentText(since),
    ]);
    context.terminal.line(tableOr('members sign in at no identity provider', HEAD, rows));
  },
};
