import { isId } from '@ringfence/base';
import { nextStatement, signStatement } from '@ringfence/keyring';
import { agentRemoval } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { openRootKey } from '../home/root-key.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'DEVICE --root-key-file FILE [--passphrase-file FILE] [--reason lost|left|compromised|cloned|replaced]',
  summary: 'remove a device from the keyring for ever; its links end at once; needs the root key',
  options: {
    'root-key-file': { type: 'string' },
    'passphrase-file': { type: 'string' },
    reason: { type: 'string' },
  },
  words: [1, 1],
  async run(context, [device = ''], flags) {
    const file = text(flags, 'root-key-file');
    const reason = agentRemoval.shape.reason.safeParse(text(flags, 'reason') ?? 'lost');
    if (!isId('device', device) || file === undefined || !reason.success)
      throw new CliError('usage', 'a device is removed by its id, with the root key', {
        next: `ringfence device remove ${this.usage}`,
      });
    const passphrase = await secretInput(context, flags, { flag: 'passphrase', prompt: 'passphrase of the root key' });
    const root = await openRootKey(file, passphrase);
    await withSession(context, async (session) => {
      const keyring = await checkedKeyring(context, session);
      if (keyring.device(device) === undefined)
        throw new CliError('not-found', 'there is no such device', { next: 'see `ringfence device ls`' });
      const change = { kind: 'remove', subject: device, reason: reason.data } as const;
      const statement = signStatement('keyring', nextStatement(keyring, change, context.clock.now()), [root]);
      await session.custodian.appendStatement(statement);
    });
    context.terminal.value({ removed: device });
    context.terminal.line(`removed ${device}`);
  },
};
