import type { Command } from '../command.ts';
import { accounts } from '../privacy/budget-word.ts';
import { showAccounts } from '../privacy/privacy-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '[DATASET]',
  summary: 'what may be lost of datasets, what was, by contract, and each release that was not counted',
  options: {},
  words: [0, 1],
  async run({ terminal, ...context }, [name]) {
    const datasets = await withSession({ terminal, ...context }, (session) => accounts(session, name));
    showAccounts(terminal, datasets);
    if (datasets.length === 0)
      terminal.line('no dataset has a budget: `ringfence dp budget DATASET --unit record --epsilon 3 --delta 1e-5`');
  },
};
