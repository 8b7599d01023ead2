import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobId } from '@ringfence/base';
import { openPack, readObject } from '@ringfence/client/pack';
import { logLine, SEALED_LOG, type LogLine, type SEALED_METRICS } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/** Files that an agent seals to the custodian when an attempt is over. */
type SealedFile = typeof SEALED_LOG | typeof SEALED_METRICS;

/** The log of an attempt as it was sealed to the custodian. Throws CliError `not-found` when there is none. */
export async function readSealedLog(
  session: Session,
  of: { job: JobId; attempt: number; since?: number | undefined; tail?: number | undefined },
): Promise<readonly Extract<LogLine, { kind: 'line' }>[]> {
  const lines = linesOf(await readSealed(session, of, SEALED_LOG)).filter(({ at }) => at >= (of.since ?? 0));
  return of.tail === undefined ? lines : lines.slice(Math.max(0, lines.length - of.tail));
}

/** One file of what was sealed of an attempt. Throws CliError `not-found` when there is none. */
export async function readSealed(
  { custodian, profile }: Session,
  of: { job: JobId; attempt: number },
  name: SealedFile,
): Promise<string> {
  const { project, logs } = await custodian.sealedLogs(of.job, of.attempt);
  const found = logs.find(({ attempt }) => attempt === of.attempt);
  if (found === undefined) throw nothingSealed();
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-log-'));
  try {
    const fetch = async (digest: Parameters<typeof custodian.object>[0]) => readObject(await custodian.object(digest));
    await openPack({ pack: found.pack, org: profile.org, project, folder, fetch });
    const path = join(folder, name);
    if (!existsSync(path)) throw nothingSealed();
    return readFileSync(path, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nothingSealed(): CliError {
  return new CliError('not-found', 'the custodian has nothing of this attempt', {
    next: 'logs: sealed sends logs and metrics there when the attempt is over; with logs: local they stay at the agent',
  });
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
