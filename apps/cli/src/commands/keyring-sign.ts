import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { SIGNER_FLAGS, withSigner, writeProposal } from '../marketplace/change-keyring.ts';
import { changeText, cosign, isEnough } from '../marketplace/keyring-proposal.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';

export const command: Command = {
  usage: 'FILE --out FILE [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'add a signature to a proposed change of the keyring, after reading what it says (officers)',
  options: SIGNER_FLAGS,
  words: [1, 1],
  async run(context, [file = ''], flags) {
    const out = text(flags, 'out');
    if (out === undefined)
      throw new CliError('usage', '--out is missing', { next: `ringfence keyring sign ${this.usage}` });
    const { envelope } = readStatementFile('keyring', file);
    const change = changeText(envelope);
    const { signatures, enough } = await withSigner(context, flags, async ({ keyring, key }) => {
      const proposal = cosign(keyring, envelope, key);
      const good = isEnough(keyring, proposal, context.clock.now());
      writeProposal(context, out, proposal, good);
      return { signatures: proposal.signatures.length, enough: good };
    });
    context.terminal.value({ file: out, change: JSON.parse(change), signatures, enough });
    context.terminal.line(`signed: ${change}`);
  },
};
