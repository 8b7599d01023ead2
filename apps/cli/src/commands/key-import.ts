import { readFileSync } from 'node:fs';
import { Secret, toBase64Url } from '@ringfence/base';
import { sealTo } from '@ringfence/crypto/seal';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { statusLines } from '../key/key-lines.ts';
import { withSession } from '../session.ts';

const KEY_BYTES = 32;

export const command: Command = {
  usage: '--key-file FILE',
  summary:
    'bring a key of your own: it is sealed to the custodian, becomes the organisation’s key, and data keys follow',
  options: { 'key-file': { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    using key = readKey(text(flags, 'key-file'));
    const keys = await withSession(context, async ({ custodian }) => {
      const { org, transportKey } = await custodian.keys.status();
      const sealed = await sealTo(transportKey, { info: { purpose: 'kek', org }, aad: new Uint8Array() }, key.expose());
      return custodian.keys.import({ sealed: toBase64Url(sealed) });
    });
    context.terminal.value(keys);
    context.terminal.line(statusLines(keys).join('\n'));
    context.terminal.line(
      'keep your copy apart, or destroy it: whoever has it and a copy of the database reads the data',
    );
  },
};

function readKey(file: string | undefined): Secret {
  if (file === undefined) throw new CliError('usage', 'the key is missing', { next: 'name its file: --key-file FILE' });
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new CliError('bad-file', `${file} cannot be read`, { cause, next: 'check the path and who may read it' });
  }
  if (bytes.length === KEY_BYTES) return new Secret(bytes);
  throw new CliError('bad-file', `${file} has ${bytes.length} bytes, and a key has ${KEY_BYTES}`, {
    next: 'write the key as raw bytes: `openssl rand 32 > FILE` makes one',
  });
}
