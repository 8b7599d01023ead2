import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';
import { readPeerCard } from '../peers/peer-card.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE --words WORDS --root-key-file FILE [--passphrase-file FILE] [--out FILE]',
  summary: 'name another organisation as a peer, after its words were compared (the root)',
  options: { words: { type: 'string' }, ...SIGNER_FLAGS },
  words: [1, 1],
  async run(context, [file = ''], flags) {
    const words = text(flags, 'words');
    if (words === undefined || text(flags, 'root-key-file') === undefined)
      throw new CliError('usage', 'a peer is added by its card, its words, and this organisation’s root key', {
        next: `ringfence peer add ${this.usage}`,
      });
    const { org, root, name } = readPeerCard(file, words);
    const change = { kind: 'add-peer', org, root } as const;
    if (!(await changeKeyring(context, flags, change))) return;
    await withSession(context, ({ custodian }) => custodian.contracts.namePeer(org, name));
    context.terminal.value({ added: org, root, name });
    context.terminal.line(`${name} (${org}) is a peer: contracts with it count`);
  },
};
