import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'FILE',
  summary: 'what would keep a Cedar text from being the organisation’s policy; nothing is set',
  options: {},
  words: [1, 1],
  async run(context, [path = '']) {
    const cedar = readTextFile(path, 'name a Cedar file: docs/policy.md has one');
    const faults = await withSession(context, ({ custodian }) => custodian.policyFaults(cedar));
    context.terminal.value({ faults });
    if (faults.length > 0)
      throw new CliError('check-failed', `${path} is no policy:\n  ${faults.join('\n  ')}`, {
        next: 'correct it: docs/policy.md',
      });
    context.terminal.line(`${path} can be set: ringfence policy set ${path}`);
  },
};
