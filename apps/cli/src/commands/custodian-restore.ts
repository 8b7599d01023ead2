import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { runSibling } from '../home/sibling-program.ts';
import { secretInput } from '../secret-input.ts';

export const command: Command = {
  usage: '--from FILE --state NEW-DIR [--registration-code-file FILE] [--passphrase-file FILE]',
  summary: 'make a custodian from a backup on this machine; a new epoch voids every grant of the old one',
  options: {
    from: { type: 'string' },
    state: { type: 'string' },
    'registration-code-file': { type: 'string' },
    'passphrase-file': { type: 'string' },
  },
  words: [0, 0],
  async run(context, _, flags) {
    const from = text(flags, 'from');
    const state = text(flags, 'state');
    if (from === undefined || state === undefined)
      throw new CliError('usage', '--from or --state is missing', {
        next: `ringfence custodian restore ${this.usage}`,
      });
    const passphrase = await secretInput(context, flags, { flag: 'passphrase', prompt: 'passphrase of the backup' });
    const code = text(flags, 'registration-code-file');
    const registering = code === undefined ? [] : ['--registration-code-file', code];
    const args = ['restore', '--state', state, '--from', from, ...registering];
    const exit = await runSibling('custodian', args, passphrase);
    if (exit !== 0)
      throw new CliError('check-failed', 'the custodian was not restored', { next: 'its words are above' });
    context.terminal.value({ state });
    context.terminal.note(`start it: ringfence-custodian run --state ${state} --relay URL`);
  },
};
