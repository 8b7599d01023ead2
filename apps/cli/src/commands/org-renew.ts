import { epochMs, type CustodianId, type EpochMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { foldKeyring, nextStatement, readStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { DELEGATION_MS } from '../home/first-keyring.ts';
import { openRootKey } from '../home/root-key.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '--root-key-file FILE [--passphrase-file FILE]',
  summary: 'let the custodian sign for the organisation for 30 more days; needs the root key',
  options: { 'root-key-file': { type: 'string' }, 'passphrase-file': { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const file = text(flags, 'root-key-file');
    if (file === undefined)
      throw new CliError('usage', '--root-key-file is missing', { next: `ringfence org renew ${this.usage}` });
    const passphrase = await secretInput(context, flags, { flag: 'passphrase', prompt: 'passphrase of the root key' });
    const root = await openRootKey(file, passphrase);
    const at = context.clock.now();
    const notAfter = epochMs(at + DELEGATION_MS);
    await withSession(context, async (session) => {
      if (root.publicKey !== session.profile.orgRoot)
        throw new CliError('not-trusted', 'this is not the root key of the organisation in the profile', {
          next: 'name the file that `org init` wrote for it',
        });
      // No head is asked for: a custodian whose delegation ended can sign none, and every statement bears the root's own signature.
      const { statements } = await session.custodian.keyring(-1);
      const keyring = foldKeyring(statements, session.profile.orgRoot);
      const change = renewed(statements, session.profile.custodian.id, notAfter);
      await session.custodian.appendStatement(signStatement('keyring', nextStatement(keyring, change, at), [root]));
    });
    context.terminal.value({ notAfter });
    context.terminal.line(`The custodian may sign for ${DELEGATION_MS / 86_400_000} days from now.`);
  },
};

/** The custodian's newest delegation, with a new end. */
function renewed(statements: readonly Envelope[], custodian: CustodianId, notAfter: EpochMs): KeyringChange {
  const change = statements
    .map((statement) => readStatement('keyring', statement).claimed.change)
    .findLast((one) => one.kind === 'delegate' && one.custodian === custodian);
  if (change?.kind === 'delegate') return { ...change, notAfter };
  throw new CliError('not-trusted', 'the keyring never let this custodian sign', {
    next: 'check with `ringfence doctor` which custodian the profile names',
  });
}
