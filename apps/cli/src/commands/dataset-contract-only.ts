import type { Command } from '../command.ts';
import { showAccounts } from '../privacy/privacy-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'DATASET [--off]',
  summary: 'lets jobs of federations alone mount a dataset; with --off, by its owner, every job again',
  options: { off: { type: 'boolean' } },
  words: [1, 1],
  async run({ terminal, ...context }, [name = ''], flags) {
    const wish = { name, on: flags['off'] !== true };
    const rows = await withSession({ terminal, ...context }, ({ custodian }) =>
      custodian.privacy.setContractOnly(wish),
    );
    showAccounts(terminal, rows);
  },
};
