import type { Command } from '../command.ts';
import { withSession } from '../session.ts';
import { whichContract } from './which-contract.ts';

/** The run of the commands that let a federation's rounds begin or not; `said` follows the contract's name once the custodian did it. */
export function changeRounds(change: 'pause' | 'resume', said: string): Command['run'] {
  return async ({ terminal, ...context }, [word = '']) => {
    const answer = await withSession({ terminal, ...context }, async (session) => {
      const { row } = await whichContract(session, word);
      terminal.note(`contract ${row.contract} (${row.name})`);
      return session.custodian.federations[change](row.contract);
    });
    terminal.value(answer);
    terminal.line(`${answer.name}: ${said}`);
  };
}
