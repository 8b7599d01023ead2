import { renderContractHtml, renderContractText, readContract } from '@ringfence/keyring';
import { text, type Command } from '../command.ts';
import { digestOf } from '../contract/contract-lines.ts';
import { CliError } from '../cli-error.ts';
import { contractAt } from '../contract/contract-path.ts';
import { writeNewFile } from '../new-file.ts';

export const command: Command = {
  usage: 'FILE [--html] [--out FILE]',
  summary: 'every value of a contract, read from the bytes that are signed',
  options: { html: { type: 'boolean' }, out: { type: 'string' } },
  words: [1, 1],
  async run({ terminal }, [path = ''], flags) {
    const out = text(flags, 'out');
    if (terminal.json && flags['html'] === true && out === undefined)
      throw new CliError('usage', 'a page of HTML is no JSON', {
        next: 'add --out FILE, or leave --html or --json out',
      });
    const file = contractAt(path);
    const page = flags['html'] === true ? renderContractHtml(file) : renderContractText(file);
    if (out !== undefined) {
      writeNewFile(out, page);
      terminal.note(`written to ${out}`);
    } else if (flags['html'] === true) return terminal.raw(page);
    terminal.value({ contract: digestOf(file), terms: readContract(file).claimed });
    if (out === undefined) terminal.line(page);
  },
};
