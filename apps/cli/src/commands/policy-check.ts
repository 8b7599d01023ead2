import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '[FILE] [--access FILE]',
  summary: 'what would keep Cedar texts from being the organisation’s policy and own roles; nothing is set',
  options: { access: { type: 'string' } },
  words: [0, 1],
  async run(context, [path], flags) {
    const accessPath = text(flags, 'access');
    const named = [path, accessPath].filter((one) => one !== undefined).join(' and ');
    if (named === '') throw new CliError('usage', 'no text is named', { next: `ringfence policy check ${this.usage}` });
    const cedar = path === undefined ? '' : readTextFile(path, 'name a Cedar file: docs/policy.md has one');
    const access =
      accessPath === undefined ? undefined : readTextFile(accessPath, 'name a Cedar file: docs/roles.md has one');
    const faults = await withSession(context, ({ custodian }) => custodian.rules.policyFaults(cedar, access));
    context.terminal.value({ faults });
    if (faults.length > 0)
      throw new CliError('check-failed', `${named} is no policy:\n  ${faults.join('\n  ')}`, {
        next: 'correct it: docs/policy.md, docs/roles.md',
      });
    const flag = accessPath === undefined ? '' : ` --access ${accessPath}`;
    context.terminal.line(`${named} can be set: ringfence policy set${path === undefined ? '' : ` ${path}`}${flag}`);
  },
};
