import { writeContractFile } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { whichContract } from '../federation/which-contract.ts';
import { writeNewFile } from '../new-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT --out FILE',
  summary: 'write a contract from the custodian, with all signatures that came so far',
  options: { out: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const out = text(flags, 'out');
    if (out === undefined)
      throw new CliError('usage', 'a contract is written to a file', { next: `ringfence contract get ${this.usage}` });
    const row = await withSession(context, async (session) => {
      const found = await whichContract(session, word);
      const { file } = await session.custodian.contracts.get(found.row.contract);
      writeNewFile(out, writeContractFile(file));
      return found.row;
    });
    context.terminal.value({ file: out, contract: row.contract, state: row.state });
    context.terminal.line(`${out}: ${row.name}, ${row.state}`);
  },
};
