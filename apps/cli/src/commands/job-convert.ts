import { resolve } from 'node:path';
import { convertJobFile } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { conversionReport, fallbackName } from '../job/foreign-file.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { writeNewFile } from '../new-file.ts';

export const command: Command = {
  usage: 'FILE [--out job.yaml]',
  summary: 'rewrite a FedML, SkyPilot or dstack file as a job file, and name each key that cannot be carried',
  options: { out: { type: 'string' } },
  words: [1, 1],
  async run({ terminal }, [path = ''], flags) {
    const converted = convertJobFile(
      readTextFile(path, 'name a file of FedML, SkyPilot or dstack'),
      fallbackName(path),
    );
    if (converted === undefined)
      throw new CliError('usage', `${path} has no key that tells FedML, SkyPilot or dstack`, {
        next: `\`ringfence plan ${path}\` reads Ringfence’s own spelling`,
      });
    const out = text(flags, 'out');
    if (out !== undefined) writeNewFile(resolve(out), converted.text);
    const { dialect, left, problems } = converted;
    terminal.value({ dialect, job: converted.text, left, problems, file: out ?? null });
    for (const line of conversionReport(converted)) terminal.note(line);
    if (out === undefined) terminal.line(converted.text.trimEnd());
    else terminal.line(`${out}; next: ringfence plan ${out}`);
    if (problems.length > 0 || left.some(({ effect }) => effect === 'needed'))
      throw new CliError('not-carried', 'some keys need a person', { next: 'see the lines above' });
  },
};
