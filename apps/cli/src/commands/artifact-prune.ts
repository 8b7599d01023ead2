import { formatSize, parseDuration } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command, type Flags } from '../command.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';

/** Longer than an output may take to arrive and be committed. */
const GRACE = '8d';

export const command: Command = {
  usage: '[NAME…] [--keep N] [--older-than 30d] [--version N] [--logs-older-than 90d] [--grace 8d] [--dry-run]',
  summary: 'remove old versions and logs at the custodian, with what nothing names any more',
  options: {
    keep: { type: 'string' },
    'older-than': { type: 'string' },
    version: { type: 'string' },
    'logs-older-than': { type: 'string' },
    grace: { type: 'string', default: GRACE },
    'dry-run': { type: 'boolean' },
  },
  words: [0, 64],
  async run(context, names, flags) {
    const [keep, version] = [whole(flags, 'keep'), whole(flags, 'version')];
    const [olderThanMs, logsOlderThanMs] = [time(flags, 'older-than'), time(flags, 'logs-older-than')];
    if (version !== undefined && names.length !== 1)
      throw new CliError('usage', '--version is that of one name', { next: `ringfence artifact prune ${this.usage}` });
    const answer = await withSession(context, ({ custodian }) =>
      custodian.prune({
        names: [...names],
        ...(keep === undefined ? {} : { keep }),
        ...(version === undefined ? {} : { version }),
        ...(olderThanMs === undefined ? {} : { olderThanMs }),
        ...(logsOlderThanMs === undefined ? {} : { logsOlderThanMs }),
        graceMs: time(flags, 'grace') ?? 0,
        dryRun: flags['dry-run'] === true,
      }),
    );
    context.terminal.value(answer);
    const went = flags['dry-run'] === true ? 'would go' : 'gone';
    const rows = [
      ...answer.removed.map(({ name, version: of, bytes }) => [name, String(of), formatSize(bytes), went]),
      ...answer.kept.map(({ name, version: of, bytes, reason }) => [
        name,
        String(of),
        formatSize(bytes),
        reason === 'newest' ? 'kept: the newest' : 'kept: a job mounts it',
      ]),
    ];
    if (rows.length > 0) context.terminal.line(table(['NAME', 'VERSION', 'SIZE', ''], rows));
    if (flags['dry-run'] !== true)
      context.terminal.line(`${answer.objects} sealed objects removed, ${formatSize(answer.bytes)}`);
  },
};

function whole(flags: Flags, name: string): number | undefined {
  const value = text(flags, name);
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new CliError('usage', `--${name} is a whole number from 1 on`);
}

function time(flags: Flags, name: string): number | undefined {
  const value = text(flags, name);
  const parsed = value === undefined ? undefined : parseDuration(value);
  if (value !== undefined && parsed === undefined)
    throw new CliError('usage', `--${name} is a time such as 30d or 12h`);
  return parsed;
}
