import { KeyringError, nextStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type CommandContext, type Flags } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { openRootKey } from '../home/root-key.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

/** Flags of commands that change the keyring. */
export const SIGNER_FLAGS = { 'root-key-file': { type: 'string' }, 'passphrase-file': { type: 'string' } } as const;

/** Signs a change with this device's key, which counts for an officer's, or with the root key where `--root-key-file` names it, and hands it in. */
export async function changeKeyring(context: CommandContext, flags: Flags, change: KeyringChange): Promise<void> {
  const file = text(flags, 'root-key-file');
  const ask = { flag: 'passphrase', prompt: 'passphrase of the root key' };
  const root = file === undefined ? undefined : await openRootKey(file, await secretInput(context, flags, ask));
  await withSession(context, async (session) => {
    const keyring = await checkedKeyring(context, session);
    const { quorum } = keyring;
    const alone = change.kind.startsWith('remove-') || quorum === 1;
    if (root === undefined && !(keyring.isOfficer(session.profile.device) && alone))
      throw new CliError('usage', 'this device’s signature is not enough for this change', {
        next: 'an organisation with several officers needs the root key: --root-key-file FILE',
      });
    await session.custodian.appendStatement(sign());

    function sign() {
      try {
        const body = nextStatement(keyring, change, context.clock.now());
        return signStatement('keyring', body, [root ?? session.keys.sign]);
      } catch (cause) {
        if (!(cause instanceof KeyringError)) throw cause;
        throw new CliError('usage', 'the change is not of the declared form', { cause });
      }
    }
  });
}
