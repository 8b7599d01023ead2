import type { Command } from '../command.ts';
import { whichContract } from '../federation/which-contract.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT',
  summary: 'let rounds begin again',
  options: {},
  words: [1, 1],
  async run({ terminal, ...context }, [word = '']) {
    const answer = await withSession({ terminal, ...context }, async (session) => {
      const { row } = await whichContract(session, word);
      terminal.note(`contract ${row.contract} (${row.name})`);
      return session.custodian.federations.resume(row.contract);
    });
    terminal.value(answer);
    terminal.line(`${answer.name}: rounds begin again`);
  },
};
