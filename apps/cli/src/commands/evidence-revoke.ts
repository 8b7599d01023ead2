import { statementDigest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { evidenceRevocation } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { KEY_FLAGS, openKeyFile } from '../marketplace/key-file.ts';
import { giveStatement, readStatementFile } from '../marketplace/statement-file.ts';

export const command: Command = {
  usage:
    'EVIDENCE-FILE --key-file FILE [--reason withdrawn|replaced|mistaken|compromised] [--passphrase-file FILE] [--out FILE]',
  summary: 'take evidence back, with the key that issued it',
  options: { reason: { type: 'string' }, out: { type: 'string' }, ...KEY_FLAGS },
  words: [1, 1],
  async run(context, [file = ''], flags) {
    const reason = evidenceRevocation.shape.reason.safeParse(text(flags, 'reason') ?? 'withdrawn');
    if (!reason.success)
      throw new CliError('usage', '--reason is none of those there are', {
        next: `ringfence evidence revoke ${this.usage}`,
      });
    const evidence = statementDigest(readStatementFile('evidence', file).envelope);
    const key = await openKeyFile(context, flags, 'issuer-key');
    const body = { v: 1, evidence, reason: reason.data, at: context.clock.now() } as const;
    giveStatement(context, flags, () => signStatement('evidence-revocation', body, [key]));
  },
};
