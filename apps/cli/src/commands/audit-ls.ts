import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { ENTRY_HEAD, entryCells } from '../audit/entry-lines.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { LOG_FLAG, namedLog, newestEntries, openLog } from '../audit/open-log.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';
import type { AuditEntry } from '@ringfence/ledger/tlog';

const SHOWN = 50;

export const command: Command = {
  usage: '[--log control-plane|custodian] [--about ID] [--action NAME] [--limit N]',
  summary: 'who did what: the newest entries of the control plane’s log, or of the custodian’s',
  options: { ...LOG_FLAG, about: { type: 'string' }, action: { type: 'string' }, limit: { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const { terminal, home } = context;
    const limit = limitOf(text(flags, 'limit'));
    const [about, action] = [text(flags, 'about'), text(flags, 'action')];
    await withSession(context, async (session) => {
      const log = await openLog(context, session, new LogMemory(home), namedLog(flags));
      const found: AuditEntry[] = [];
      await newestEntries(log, (entry) => {
        const asked = about === undefined || entry.actor.id === about || entry.objects.includes(about);
        if (asked && (action === undefined || entry.action === action)) found.push(entry);
        return found.length < limit ? 'more' : 'enough';
      });
      terminal.value({ origin: log.answer.origin, size: log.head.size, entries: found });
      terminal.line(tableOr('no such entry', ENTRY_HEAD, found.toReversed().map(entryCells)));
    });
  },
};

function limitOf(value: string | undefined): number {
  const limit = Number(value ?? SHOWN);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new CliError('usage', '--limit is a number above zero', { next: 'leave it out for the newest 50' });
}
