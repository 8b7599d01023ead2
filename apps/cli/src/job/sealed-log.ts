import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobId } from '@ringfence/base';
import { openPack, readObject } from '@ringfence/client/pack';
import { logLine, type LogLine } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/** The log of an attempt as it was sealed to the custodian. Throws CliError `not-found` when there is none. */
export async function readSealedLog(
  { custodian, profile }: Session,
  of: { job: JobId; attempt: number; since?: number | undefined; tail?: number | undefined },
): Promise<readonly Extract<LogLine, { kind: 'line' }>[]> {
  const { project, logs } = await custodian.sealedLogs(of.job);
  const found = logs.find(({ attempt }) => attempt === of.attempt);
  if (found === undefined)
    throw new CliError('not-found', 'the custodian has no log of this attempt', {
      next: 'logs: sealed sends it there when the attempt is over; logs: local stays at the agent',
    });
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-log-'));
  try {
    const fetch = async (digest: Parameters<typeof custodian.object>[0]) => readObject(await custodian.object(digest));
    await openPack({ pack: found.pack, org: profile.org, project, folder, fetch });
    const lines = linesOf(readFileSync(join(folder, 'log.jsonl'), 'utf8')).filter(({ at }) => at >= (of.since ?? 0));
    return of.tail === undefined ? lines : lines.slice(Math.max(0, lines.length - of.tail));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linesOf(text: string): Extract<LogLine, { kind: 'line' }>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const parsed = logLine.safeParse({ kind: 'line', ...(JSON.parse(line) as object), next: 0 });
      return parsed.success && parsed.data.kind === 'line' ? [parsed.data] : [];
    });
}
