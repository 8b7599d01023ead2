import { formatDuration, parseDuration } from '@ringfence/base';
import type { RetentionRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const FOREVER = 'forever';

export const command: Command = {
  usage: '[NAME 90d|forever] [--logs 30d|forever]',
  summary: 'how long a dataset, an output or logs are kept; without words, the rules',
  options: { logs: { type: 'string' } },
  words: [0, 2],
  async run(context, [name, time], flags) {
    const logs = typeof flags['logs'] === 'string' ? flags['logs'] : undefined;
    if ((name === undefined) !== (time === undefined))
      throw new CliError('usage', 'a rule is a name and a time', { next: `ringfence retain ${this.usage}` });
    const wishes = [
      ...(name === undefined || time === undefined ? [] : [{ of: { name }, keepMs: keepMs(time) }]),
      ...(logs === undefined ? [] : [{ of: { logs: true as const }, keepMs: keepMs(logs) }]),
    ];
    const rules = await withSession(context, async ({ custodian }) => {
      for (const wish of wishes) await custodian.data.setRetention(wish);
      return custodian.data.retention();
    });
    context.terminal.value({ rules });
    const rows = rules.map((rule) => [nameOf(rule), formatDuration(rule.keepMs), momentText(rule.at)]);
    context.terminal.line(tableOr('no rules: everything is kept until it is erased', ['OF', 'KEPT', 'SINCE'], rows));
  },
};

function nameOf({ of }: RetentionRow): string {
  return 'name' in of ? of.name : '(logs)';
}

function keepMs(time: string): number | null {
  if (time === FOREVER) return null;
  const parsed = parseDuration(time);
  if (parsed === undefined || parsed < 3_600_000)
    throw new CliError('usage', 'a time to keep is such as 90d, from 1h on, or `forever`');
  return parsed;
}
