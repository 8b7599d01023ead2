import type { Command } from '../command.ts';
import { artifactTable, listArtifacts } from '../job/artifact-table.ts';

export const command: Command = {
  usage: '',
  summary: 'the datasets in the catalogue, with their labels',
  options: {},
  words: [0, 0],
  async run(context) {
    const datasets = await listArtifacts(context, 'dataset');
    context.terminal.value({ datasets });
    context.terminal.line(artifactTable('no datasets yet: `ringfence dataset add NAME PATH --label LABEL`', datasets));
  },
};
