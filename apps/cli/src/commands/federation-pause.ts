import type { Command } from '../command.ts';
import { whichContract } from '../federation/which-contract.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT',
  summary: 'let no round of a federation begin for now; one under way goes on to its end',
  options: {},
  words: [1, 1],
  async run({ terminal, ...context }, [word = '']) {
    const answer = await withSession({ terminal, ...context }, async (session) => {
      const { row } = await whichContract(session, word);
      terminal.note(`contract ${row.contract} (${row.name})`);
      return session.custodian.federations.pause(row.contract);
    });
    terminal.value(answer);
    terminal.line(`${answer.name}: no round begins`);
  },
};
