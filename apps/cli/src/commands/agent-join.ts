import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { runSibling, siblingCommand } from '../home/sibling-program.ts';
import { secretInput } from '../secret-input.ts';

export const command: Command = {
  usage:
    '--state DIR [--code-file FILE] [--admission FILE --machine FILE] [--proxy URL] [--ca-file FILE] [--lan HOST:PORT] [--allow-process]',
  summary: 'join this server: reads the code from a prompt, stdin or a file',
  options: {
    state: { type: 'string' },
    'code-file': { type: 'string' },
    admission: { type: 'string' },
    machine: { type: 'string' },
    proxy: { type: 'string' },
    'ca-file': { type: 'string' },
    lan: { type: 'string' },
    'allow-process': { type: 'boolean' },
  },
  words: [0, 0],
  async run(context, _, flags) {
    const state = text(flags, 'state');
    if (state === undefined)
      throw new CliError('usage', '--state is missing', {
        next: 'name the folder in which the agent keeps its keys and journal',
      });
    const code = await secretInput(context, flags, { flag: 'code', prompt: 'join code' });
    const args = ['join', '--state', state];
    for (const flag of ['admission', 'machine', 'proxy', 'ca-file', 'lan'] as const)
      for (const value of texts(flags, flag)) args.push(`--${flag}`, value);
    if (flags['allow-process'] === true) args.push('--allow-process');
    const exit = await runSibling('agent', args, code);
    if (exit !== 0) throw new CliError('check-failed', 'the agent did not join', { next: 'its words are above' });
    context.terminal.note(`start it: ${siblingCommand('agent', ['run', '--state', state]).join(' ')}`);
    if (text(flags, 'admission') !== undefined)
      context.terminal.note(
        'with --price 1.20EUR, what an hour costs, and --region: an unknown price is within no limit',
      );
  },
};
