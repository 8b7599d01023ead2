import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { changeText, isEnough } from '../marketplace/keyring-proposal.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE',
  summary: 'hand in a change of the keyring that enough officers have signed',
  options: {},
  words: [1, 1],
  async run(context, [file = '']) {
    const { envelope } = readStatementFile('keyring', file);
    await withSession(context, async (session) => {
      const keyring = await checkedKeyring(context, session);
      if (!isEnough(keyring, envelope, context.clock.now()))
        throw new CliError('usage', 'its signatures are not enough', {
          next: `another officer signs it: ringfence keyring sign ${file} --out FILE`,
        });
      await session.custodian.appendStatement(envelope);
    });
    const change = changeText(envelope);
    context.terminal.value({ changed: JSON.parse(change) });
    context.terminal.line(`the keyring says now: ${change}`);
  },
};
