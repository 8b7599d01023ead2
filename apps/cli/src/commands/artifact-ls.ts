import type { Command } from '../command.ts';
import { artifactTable, listArtifacts } from '../job/artifact-table.ts';

export const command: Command = {
  usage: '',
  summary: 'results of jobs, with the labels that they inherited',
  options: {},
  words: [0, 0],
  async run(context) {
    const artifacts = await listArtifacts(context, 'output');
    context.terminal.value({ artifacts });
    context.terminal.line(
      artifactTable('no results yet: a job’s `outputs` become artifacts when it succeeds', artifacts),
    );
  },
};
