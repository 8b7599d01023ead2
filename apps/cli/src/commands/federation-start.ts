import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { startFederation } from '../federation/start-federation.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT|FILE [--dataset NAME]… [--aggregator] [--workdir DIR] [-y]',
  summary:
    'order this organisation’s jobs of a contract: a client for each of its datasets, and the aggregator where it is ours',
  options: {
    dataset: { type: 'string', multiple: true },
    aggregator: { type: 'boolean' },
    workdir: { type: 'string' },
    yes: { type: 'boolean', short: 'y' },
  },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const datasets = texts(flags, 'dataset');
    const aggregator = flags['aggregator'] === true;
    if (aggregator && datasets.length > 0)
      throw new CliError('usage', 'an aggregator has no dataset', { next: 'order the clients by themselves' });
    const workdir = text(flags, 'workdir') ?? '.';
    await withSession(context, (session) =>
      startFederation(context, session, { word, datasets, aggregator, workdir, yes: flags['yes'] === true }),
    );
  },
};
