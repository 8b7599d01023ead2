import { evidenceStandard } from '@ringfence/protocol';
import { CliError } from '../cli-error.ts';
import { texts, type Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';
import { publicKeyOf } from '../marketplace/key-file.ts';

export const command: Command = {
  usage: 'KEY --standard iso27001… [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'pin who may issue evidence, and of which standards (officers)',
  options: { standard: { type: 'string', multiple: true }, ...SIGNER_FLAGS },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const standards = evidenceStandard.array().min(1).safeParse(texts(flags, 'standard'));
    if (!standards.success)
      throw new CliError('usage', '--standard is missing or unknown', {
        next: `write one or more of ${evidenceStandard.options.join(', ')}`,
      });
    const key = publicKeyOf(word);
    if (!(await changeKeyring(context, flags, { kind: 'add-evidence-issuer', key, standards: standards.data }))) return;
    context.terminal.value({ added: key, standards: standards.data });
    context.terminal.line(`${key} may issue evidence of ${standards.data.join(', ')}`);
  },
};
