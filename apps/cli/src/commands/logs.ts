import { formatSize, parseDuration, RingfenceError, type JobId } from '@ringfence/base';
import type { LogLine } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { readLog, withAgent } from '../job/agent-client.ts';
import { readSealedLog } from '../job/sealed-log.ts';
import { whichAttempt } from '../job/which-attempt.ts';
import { whichRunning } from '../job/which-job.ts';
import { saysWhy } from '../release/not-released.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: 'JOB [-f] [--attempt N] [--since 10m] [--tail LINES] [--raw]',
  summary: 'the log of a job, from the server that ran it, or as it was sealed to the custodian (-f: follow)',
  options: {
    follow: { type: 'boolean', short: 'f' },
    attempt: { type: 'string' },
    since: { type: 'string' },
    tail: { type: 'string' },
    raw: { type: 'boolean' },
  },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const part = partOf(context, flags);
    await withSession(context, async (session) => {
      const job = await whichRunning(session, word);
      const chosen = whichAttempt(await session.controlPlane.job(job), text(flags, 'attempt'));
      await show(context, session, {
        job,
        ...chosen,
        ...part,
        follow: flags['follow'] === true,
        raw: flags['raw'] === true,
      });
    });
  },
};

interface Part {
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly tail: number | undefined;
}

type Wanted = Part & {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: Parameters<typeof withAgent>[2];
  readonly follow: boolean;
  readonly raw: boolean;
};

function partOf({ clock }: CommandContext, flags: Flags): Part {
  const [since, tail] = [text(flags, 'since'), text(flags, 'tail')];
  const ago = since === undefined ? undefined : parseDuration(since);
  if (since !== undefined && ago === undefined)
    throw new CliError('usage', '--since takes a duration', { next: 'such as --since 10m' });
  if (tail !== undefined && !/^\d{1,9}$/.test(tail))
    throw new CliError('usage', '--tail takes a number of lines', { next: 'such as --tail 100' });
  return {
    since: ago === undefined ? undefined : Math.max(0, clock.now() - ago),
    tail: tail === undefined ? undefined : Number(tail),
  };
}

/** From the agent; when that cannot be asked any more, from the custodian. */
async function show(context: CommandContext, session: Session, wanted: Wanted): Promise<void> {
  let shown = false;
  try {
    await withAgent(context, session, wanted.agent, async (link) => {
      for await (const line of readLog(link, { ...wanted, from: 0 })) {
        if (line.kind === 'dropped') return showDropped(context, session, wanted, line.bytes);
        shown = true;
        print(context, line, wanted.raw);
      }
    });
  } catch (error) {
    if (shown || !(error instanceof RingfenceError)) throw error;
    const lines = await readSealedLog(session, wanted).catch((sealed: unknown) => {
      throw saysWhy(sealed) ? sealed : error;
    });
    context.terminal.note('the agent cannot be asked; this is what it sealed to the custodian');
    for (const line of lines) print(context, line, wanted.raw);
  }
}

/** The agent dropped it for newer ones; the custodian may have it. */
async function showDropped(
  { terminal, ...context }: CommandContext,
  session: Session,
  wanted: Wanted,
  bytes: number,
): Promise<void> {
  terminal.note(`the server dropped this log to make room for newer ones: ${formatSize(bytes)}`);
  const lines = await readSealedLog(session, wanted).catch(() => undefined);
  if (lines === undefined) return terminal.value({ kind: 'dropped', bytes });
  terminal.note('this is what it sealed to the custodian');
  for (const line of lines) print({ terminal, ...context }, line, wanted.raw);
}

function print({ terminal }: CommandContext, line: LogLine, raw: boolean): void {
  terminal.value(line);
  if (line.kind !== 'line') return;
  if (raw && !terminal.json) terminal.raw(`${line.text}\n`);
  else terminal.line(line.text);
}
