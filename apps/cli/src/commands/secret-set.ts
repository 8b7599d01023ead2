import { secretValue, variableName } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME [--value-file FILE]',
  summary: 'keep a secret at the custodian, from a file, the pipe or a prompt; jobs name it, grants deliver it',
  options: { 'value-file': { type: 'string' } },
  words: [1, 1],
  async run(context, [name = ''], flags) {
    if (!variableName.safeParse(name).success || name.startsWith('RINGFENCE_'))
      throw new CliError('usage', 'a secret is named like a variable, and not RINGFENCE_…', {
        next: 'use letters, digits and _, no digit first; the value comes from the pipe or --value-file',
      });
    const value = await secretInput(context, flags, { flag: 'value', prompt: `Value of ${name}` });
    if (!secretValue.safeParse(value).success)
      throw new CliError('usage', 'a secret is 1 to 32768 characters of text without NUL', {
        next: 'encode other bytes, with base64 for one',
      });
    const secrets = await withSession(context, ({ custodian }) => custodian.setSecret(name, value));
    context.terminal.value({ set: secrets.find((secret) => secret.name === name) });
    context.terminal.line(`${name} is set; attempts that start from now on get this value`);
  },
};
