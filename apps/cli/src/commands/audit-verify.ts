import { exportLog } from '@ringfence/client/api';
import type { TreeHead, WitnessedStatement } from '@ringfence/ledger/tlog';
import { texts, type Command, type CommandContext } from '../command.ts';
import { fileLines, heldHeads, originOfExport, trustFor } from '../audit/export-file.ts';
import { journaledStatements, type JournaledStatements } from '../audit/journal-statements.ts';
import { judgeExport, shownByGrant, type JudgedExport } from '../audit/judge-export.ts';
import { LogMemory } from '../audit/known-logs.ts';
import { openLog } from '../audit/open-log.ts';
import { requireRight, verdictLines, verdictView, type VerdictView } from '../audit/verdict-lines.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: '[FILE…] [--key NAME+ID+KEY]… [--held CHECKPOINT]… [--journal DIR]…',
  summary:
    'whether both logs, or exports of them, are what was signed, and leave out nothing that the custodian and journals hold; exports need no network',
  options: {
    key: { type: 'string', multiple: true },
    held: { type: 'string', multiple: true },
    journal: { type: 'string', multiple: true },
  },
  words: [0, 8],
  async run(context, files, flags) {
    const { terminal } = context;
    const journaled = journaledStatements(texts(flags, 'journal'));
    const given = { keys: texts(flags, 'key'), held: texts(flags, 'held'), journaled };
    const judged = files.length > 0 ? await judgeFiles(context, files, given) : await judgeLive(context, given);
    const views = judged.map(({ origin, found }): VerdictView => verdictView(origin, found));
    terminal.value({ logs: views });
    for (const [at, view] of views.entries()) {
      const found = judged[at]?.found;
      if (found !== undefined) terminal.line(verdictLines(view, found).join('\n'));
    }
    requireRight(views);
  },
};

interface Given {
  readonly keys: readonly string[];
  readonly held: readonly string[];
  readonly journaled: JournaledStatements;
}

interface Judged {
  readonly origin: string;
  readonly found: JudgedExport;
}

/** The custodian's exports first: they show what the control plane's must have. */
async function judgeFiles({ home }: CommandContext, files: readonly string[], given: Given): Promise<Judged[]> {
  const memory = new LogMemory(home);
  const named = await Promise.all(files.map(async (path) => ({ path, origin: await originOfExport(path) })));
  const shown: WitnessedStatement[] = [];
  const judged: Judged[] = [];
  for (const { path, origin } of named.toSorted(
    (a, b) => Number(isCustodians(b.origin)) - Number(isCustodians(a.origin)),
  )) {
    const trust = trustFor(origin, given.keys, memory);
    const held = [...heldHeads(given.held, trust), ...remembered(memory, origin)];
    const found = await judge(fileLines(path), { origin, trust, held }, { given, shown, more: named.length > 1 });
    judged.push({ origin, found });
  }
  return judged;
}

async function judgeLive(context: CommandContext, given: Given): Promise<Judged[]> {
  const memory = new LogMemory(context.home);
  return withSession(context, async (session) => {
    const shown: WitnessedStatement[] = [];
    const judged: Judged[] = [];
    for (const name of ['custodian', 'control-plane'] as const) {
      const log = await openLog(context, session, memory, name);
      const { origin } = log.answer;
      const notes = await cosignedOf(session, origin, log.head.size);
      const held = [...heldHeads(given.held, log.trust), ...remembered(memory, origin)];
      const lines = exportLog(log.source, log.answer, notes);
      const found = await judge(lines, { origin, trust: log.trust, held }, { given, shown, more: true });
      if (found.verdict.ok) memory.remember(origin, log.note);
      judged.push({ origin, found });
    }
    return judged;
  });
}

async function cosignedOf({ custodian }: Session, origin: string, size: number): Promise<string[]> {
  const { cosigned } = await custodian.auditWitnessed();
  return cosigned.filter((each) => each.origin === origin && each.size <= size).map(({ checkpoint }) => checkpoint);
}

function judge(
  lines: AsyncIterable<string>,
  { origin, trust, held }: { origin: string } & Pick<Parameters<typeof judgeExport>[1], 'trust' | 'held'>,
  { given, shown, more }: { given: Given; shown: WitnessedStatement[]; more: boolean },
): Promise<JudgedExport> {
  const { ofControlPlane, ofCustodian } = given.journaled;
  const heads = held === undefined ? {} : { held };
  if (!isCustodians(origin)) return judgeExport(lines, { trust, ...heads, witnessed: [...ofControlPlane, ...shown] });
  const collect = more
    ? { onEntry: (entry: Parameters<typeof shownByGrant>[0]) => void shown.push(...shownByGrant(entry)) }
    : {};
  return judgeExport(lines, { trust, ...heads, witnessed: ofCustodian, ...collect });
}

function remembered(memory: LogMemory, origin: string): TreeHead[] {
  const head = memory.headOf(origin);
  return head === undefined ? [] : [head];
}

/** Whose log an origin is of: ids say what they are. */
function isCustodians(origin: string): boolean {
  return origin.startsWith('ringfence/cus_');
}
