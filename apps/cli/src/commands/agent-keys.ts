import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { runSibling } from '../home/sibling-program.ts';

export const command: Command = {
  usage: '--state DIR',
  summary: 'make the keys of this server’s next join and print them, for a provider to vouch for',
  options: { state: { type: 'string' } },
  words: [0, 0],
  async run(_, __, flags) {
    const state = text(flags, 'state');
    if (state === undefined)
      throw new CliError('usage', '--state is missing', {
        next: 'name the folder in which the agent keeps its keys and journal',
      });
    if ((await runSibling('agent', ['keys', '--state', state])) !== 0)
      throw new CliError('check-failed', 'the agent made no keys', { next: 'its words are above' });
  },
};
