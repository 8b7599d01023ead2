import { readAuditEntry } from '@ringfence/ledger/tlog';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { indexOf } from '../audit/entry-index.ts';
import { entryLines } from '../audit/entry-lines.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { entryBytesAt, LOG_FLAG, namedLog, openLog } from '../audit/open-log.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'INDEX [--log control-plane|custodian]',
  summary: 'one entry of a log with all that it says',
  options: LOG_FLAG,
  words: [1, 1],
  async run(context, [index = ''], flags) {
    const { terminal, home } = context;
    await withSession(context, async (session) => {
      const log = await openLog(context, session, new LogMemory(home), namedLog(flags));
      const entry = readAuditEntry(await entryBytesAt(log, indexOf(index)));
      if (entry === undefined)
        throw new CliError('check-failed', `entry ${index} is not of the form of this log’s entries`, {
          next: 'run `ringfence audit verify`',
        });
      terminal.value(entry);
      terminal.line(entryLines(entry).join('\n'));
    });
  },
};
