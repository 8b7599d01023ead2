import { existsSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseJobName, writeJobFile } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';

export const command: Command = {
  usage: '[--name NAME] [--run COMMAND] [--file job.yaml]',
  summary: 'write a commented job file to start from',
  options: { name: { type: 'string' }, run: { type: 'string' }, file: { type: 'string' } },
  words: [0, 0],
  async run({ terminal }, _, flags) {
    const path = resolve(text(flags, 'file') ?? 'job.yaml');
    if (existsSync(path)) throw new CliError('bad-file', `${path} exists`, { next: 'name another file with --file' });
    const name = parseJobName(text(flags, 'name') ?? basename(resolve('.')).replaceAll(/[^A-Za-z0-9._-]+/g, '-'));
    if (name === undefined)
      throw new CliError('usage', 'the name is not 1-63 letters, digits, dots, dashes', {
        next: 'give one with --name',
      });
    writeFileSync(path, writeJobFile({ name, run: text(flags, 'run') ?? 'echo hello' }), { flag: 'wx' });
    terminal.value({ file: path });
    terminal.line(`${path}; next: ringfence plan ${path}`);
  },
};
