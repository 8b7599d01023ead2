import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EpochMs } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { moment } from '@ringfence/protocol';
import { z } from 'zod';
import type { CommandContext } from '../command.ts';
import { noticeLine, readNotices, type NoticeSources, type ReadNotices, type ShownNotice } from './notices.ts';

const HOUR_MS = 3_600_000;
/** Where nothing answered. */
const AGAIN_MS = 60_000;
/** No command is held up for longer, and by a custodian that is far away not for so long. */
const WITHIN = { controlPlane: 1_000, custodian: 700 };
const MOST_LINES = 5;
const MOST_KEPT = 300;

/** When it was asked last, and what was told. */
const schema = z.strictObject({ v: z.literal(1), askedAt: moment, ids: z.array(z.string()) });
type Told = z.infer<typeof schema>;

/**
 * Reads at most once an hour what somebody who watches has not been told yet, and tells it once, after the command's own words. Nothing with
 * `--json`, and whatever goes wrong is silent: the command is done.
 */
export async function tellNotices(
  { terminal, clock, home, afterwards }: Pick<CommandContext, 'terminal' | 'clock' | 'home' | 'afterwards'>,
  sources: NoticeSources,
): Promise<void> {
  if (terminal.json || !terminal.watched || afterwards === undefined) return;
  const { askedAt, ids } = readTold(home);
  const now = clock.now();
  if (now >= askedAt && now < askedAt + HOUR_MS) return;
  // Where the home cannot be written the same would be told after each command.
  if (!keepTold(home, Math.max(0, now - HOUR_MS + AGAIN_MS) as EpochMs, [])) return;
  const notices = await readNotices(sources, { clock, ...WITHIN }).then(
    (read) => read.notices,
    () => undefined,
  );
  if (notices === undefined) return;
  const unread = notices.filter(({ id }) => !ids.includes(id));
  afterwards(() => {
    for (const notice of unread.slice(0, MOST_LINES)) terminal.note(`notice: ${noticeLine(notice)}`);
    const more = unread.length - MOST_LINES;
    if (more > 0) terminal.note(`notice: ${more} more, see \`ringfence account notices\``);
    keepTold(home, now, notices);
  });
}

/** Shows all that was read; what somebody watched at a terminal is told. */
export function showNotices(
  { terminal, clock, home }: Pick<CommandContext, 'terminal' | 'clock' | 'home'>,
  { notices, silent }: ReadNotices,
): void {
  terminal.value({ notices, silent });
  const failures = Object.entries(silent).map(([place, code]) => `the ${place} did not answer: ${code}`);
  const lines = [...notices.map(noticeLine), ...failures];
  terminal.line(lines.length === 0 ? 'nothing' : lines.join('\n'));
  if (!terminal.json && terminal.watched) keepTold(home, clock.now(), notices);
}

/** Remembers that `notices` were told; false where the home cannot be written. */
function keepTold(home: string, askedAt: EpochMs, notices: readonly ShownNotice[]): boolean {
  const ids = new Set([...notices.map(({ id }) => id), ...readTold(home).ids]);
  const told: Told = { v: 1, askedAt, ids: [...ids].slice(0, MOST_KEPT) };
  try {
    writeFileAtomic(fileOf(home), `${JSON.stringify(told)}\n`);
    return true;
  } catch {
    return false;
  }
}

function readTold(home: string): Told {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(home), 'utf8')));
  } catch {
    // A file that is not there or damaged: all is told once more.
    return { v: 1, askedAt: 0 as EpochMs, ids: [] };
  }
}

function fileOf(home: string): string {
  return join(home, 'told-notices.json');
}
