import { signStatement } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { rowLines } from '../contract/contract-lines.ts';
import { whichContract } from '../federation/which-contract.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT [--yes]',
  summary: 'take no part in a contract any longer: its next round does not begin; for good',
  options: { yes: { type: 'boolean' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const { terminal, clock } = context;
    await withSession(context, async (session) => {
      const { row, terms } = await whichContract(session, word);
      for (const line of beforehand(`${row.name} (${row.contract})`, terms.withdrawal)) terminal.note(line);
      if (flags['yes'] !== true)
        throw new CliError('declined', 'nothing is withdrawn yet', { next: 'add --yes when you mean it' });
      const { profile, keys, custodian } = session;
      const { org, device } = profile;
      const body = { v: 1, org, device, contract: row.contract, at: clock.now() } as const;
      const after = await custodian.contracts.withdraw(
        row.contract,
        signStatement('contract-withdrawal', body, [keys.sign]),
      );
      terminal.value(after.row);
      for (const line of rowLines(after.row)) terminal.line(line);
    });
  },
};

/** What everybody has to know before. */
function beforehand(name: string, rule: 'stop' | 'go-on'): string[] {
  return [
    `withdrawing from ${name}:`,
    '  from now on no round of it begins with this organisation; one under way may still end',
    rule === 'stop'
      ? '  it ends for all parties, as soon as the aggregator hears of it'
      : '  the others go on without this organisation, while enough of them are left',
    '  it cannot take back models that were sent out, sums that were opened, or what is debited from privacy budgets',
    '  it cannot be undone: to take part again takes a new contract, signed by all',
  ];
}
