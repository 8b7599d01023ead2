import { mergeContractFiles, signContract } from '@ringfence/keyring';
import { text, type Command } from '../command.ts';
import { confirmSigning } from '../contract/confirm-signing.ts';
import { rowLines } from '../contract/contract-lines.ts';
import { contractAt, replaceContractAt } from '../contract/contract-path.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE [--digest DIGEST | -y]',
  summary: 'sign a contract for this organisation, keep it at the custodian, and add what others have signed since',
  options: { digest: { type: 'string' }, yes: { type: 'boolean', short: 'y' } },
  words: [1, 1],
  async run(context, [path = ''], flags) {
    const { terminal } = context;
    const file = contractAt(path);
    await confirmSigning(context, file, { digest: text(flags, 'digest'), yes: flags['yes'] === true });
    const { row, file: kept } = await withSession(context, ({ custodian, keys }) =>
      custodian.contracts.keep(signContract(file, keys.sign)),
    );
    replaceContractAt(path, mergeContractFiles(file, kept));
    terminal.value(row);
    for (const line of rowLines(row)) terminal.line(line);
    if (row.state === 'incomplete') terminal.line(`pass ${path} on to who has not signed`);
  },
};
