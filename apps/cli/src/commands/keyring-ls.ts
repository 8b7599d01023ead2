import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { keyringLines } from '../keyring/keyring-lines.ts';
import { keyringView } from '../keyring/keyring-view.ts';
import { namedAgents } from '../placement/names-of-agents.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'everybody whom the keyring names: devices, custodian, servers and their papers, admitters, issuers',
  options: {},
  words: [0, 0],
  async run(context) {
    const { terminal, clock } = context;
    await withSession(context, async (session) => {
      const [keyring, named] = await Promise.all([checkedKeyring(context, session), namedAgents(session)]);
      const view = keyringView(keyring, named, clock.now());
      terminal.value(view);
      for (const line of keyringLines(view, session.profile.device, clock.now())) terminal.line(line);
    });
  },
};
