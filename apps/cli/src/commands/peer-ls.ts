import { fingerprintWords } from '@ringfence/crypto/sign';
import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'the organisations that this one has named as peers, with the words of their roots',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal } = context;
    const { keyring, names } = await withSession(context, async (session) => ({
      keyring: await checkedKeyring(context, session),
      names: new Map((await session.custodian.contracts.peers()).map(({ org, name }) => [org, name])),
    }));
    const peers = keyring.peers().map(({ org, root }) => ({
      org,
      root,
      name: names.get(org) ?? null,
      words: fingerprintWords(root),
    }));
    terminal.value({ peers });
    const rows = peers.map(({ org, name, words }) => [name ?? '-', org, words]);
    terminal.line(tableOr('no peers: ringfence peer add', ['NAME', 'ORGANISATION', 'WORDS'], rows));
  },
};
