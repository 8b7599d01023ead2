import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { boundOf } from '../privacy/budget-flags.ts';
import { accountNamed, giveWord } from '../privacy/budget-word.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'DATASET [--epsilon E --delta D] [--out FILE]',
  summary:
    'after a restore: its owner and officers sign that no more was lost than the budget of then, or than they say',
  options: { epsilon: { type: 'string' }, delta: { type: 'string' }, out: { type: 'string' } },
  words: [1, 1],
  async run(context, [name = ''], flags) {
    const bound = boundOf(flags);
    await withSession(context, async (session) => {
      const row = await accountNamed(session, name);
      if (row.doubt === null)
        throw new CliError('usage', 'nothing about this dataset is in doubt', { next: 'see `ringfence dp status`' });
      const settled = bound ?? row.doubt.least;
      if (settled === null)
        throw new CliError('usage', 'the archive has no budget of this dataset, so nothing bounds what was done', {
          next: 'say what was spent at most: --epsilon E --delta D',
        });
      await giveWord(context, session, { row, word: { settled }, flags });
    });
  },
};
