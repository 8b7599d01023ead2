import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { boundOf, unitOf } from '../privacy/budget-flags.ts';
import { accountNamed, giveSignedWord, giveWord } from '../privacy/budget-word.ts';
import { showAccounts } from '../privacy/privacy-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage:
    '(DATASET --unit record|person|organisation [--column NAME --most-rows N] --epsilon E --delta D [--raise [--out FILE]] | --signed FILE)',
  summary:
    'says what may be lost of a dataset over all federations; that it is more later (--raise) its owner and officers sign',
  options: {
    unit: { type: 'string' },
    column: { type: 'string' },
    'most-rows': { type: 'string' },
    epsilon: { type: 'string' },
    delta: { type: 'string' },
    raise: { type: 'boolean' },
    out: { type: 'string' },
    signed: { type: 'string' },
  },
  words: [0, 1],
  async run(context, [name], flags) {
    const signed = text(flags, 'signed');
    const bound = boundOf(flags);
    if ((signed === undefined) === (name === undefined) || (name !== undefined && bound === undefined))
      throw new CliError('usage', 'a budget is of a dataset, with --epsilon and --delta, or one that --signed names', {
        next: `ringfence dp budget ${this.usage}`,
      });
    await withSession(context, async (session) => {
      if (signed !== undefined) return giveSignedWord(context, session, signed);
      if (name === undefined || bound === undefined) return;
      const budget = { unit: unitOf(flags), ...bound };
      if (flags['raise'] !== true)
        return showAccounts(context.terminal, await session.custodian.privacy.setBudget({ name, ...budget }));
      return giveWord(context, session, { row: await accountNamed(session, name), word: budget, flags });
    });
  },
};
