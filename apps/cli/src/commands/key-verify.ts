import { readFileSync } from 'node:fs';
import { messageOf } from '@ringfence/base';
import { checkTombstone, parseEnvelope } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { tombstoneLine } from '../key/key-lines.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE',
  summary: 'whether a tombstone is what the organisation’s custodian signed, and what it says',
  options: {},
  words: [1, 1],
  async run(context, [file = '']) {
    const envelope = readTombstone(file);
    const keyring = await withSession(context, (session) => checkedKeyring(context, session));
    const checked = checkTombstone(envelope, { keyring });
    if (!checked.allow)
      throw new CliError('check-failed', `the tombstone does not count: ${checked.reasons.join(', ')}`, {
        next: 'get the file again from whoever shredded the keys',
      });
    context.terminal.value({ verified: true, tombstone: checked.tombstone.body });
    context.terminal.line(tombstoneLine(checked.tombstone.body));
  },
};

function readTombstone(file: string) {
  try {
    return parseEnvelope(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new CliError('bad-file', `${file} is no tombstone: ${messageOf(cause)}`, { cause });
  }
}
