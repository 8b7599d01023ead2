import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { utf8 } from '@ringfence/base';
import {
  openCheckpoint,
  parseExportRecord,
  trustInLog,
  type CheckpointTrust,
  type TreeHead,
} from '@ringfence/ledger/tlog';
import { readFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { LogMemory } from './known-logs.ts';

/** The lines of a file, which may be larger than memory. Throws CliError `bad-file`. */
export async function* fileLines(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    yield* createInterface({ input: stream, crlfDelay: Infinity });
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    stream.destroy();
  }
}

/** The origin that an export's first line names. Throws CliError `bad-file` for another file. */
export async function originOfExport(path: string): Promise<string> {
  for await (const line of fileLines(path)) {
    const record = parseExportRecord(line);
    if (record?.kind === 'header') return record.origin;
    break;
  }
  throw new CliError('bad-file', `${path} is no export of a log`, { next: 'name a file of `ringfence audit export`' });
}

/** Whom to trust about the log of an origin: the keys given, or the one that this device met it by. Throws CliError `usage`. */
export function trustFor(origin: string, keys: readonly string[], memory: LogMemory | undefined): CheckpointTrust {
  for (const key of keys.length > 0 ? keys : [memory?.keyOf(origin) ?? '']) {
    const trust = trustInLog(key);
    if (trust?.origin === origin) return trust;
  }
  throw new CliError('usage', `no key of the log ${origin} is known here`, {
    next: 'give it: --key NAME+ID+KEY, as `ringfence audit status` prints it to who trusts that log',
  });
}

/** The heads of checkpoints that somebody kept, each a file; those of other logs are passed over. Throws CliError `bad-file`. */
export function heldHeads(paths: readonly string[], trust: CheckpointTrust): TreeHead[] {
  return paths.flatMap((path) => {
    const opened = openCheckpoint(read(path), trust);
    if (opened.ok) return [opened.signed.checkpoint];
    if (opened.code === 'other-origin' || opened.code === 'unsigned') return [];
    throw new CliError('bad-file', `${path} is no checkpoint`, {
      next: 'name the files of checkpoints that were kept',
    });
  });
}

function read(path: string): Uint8Array {
  try {
    return utf8(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): CliError {
  return new CliError('bad-file', `${path} cannot be read`, { cause, next: 'name a file that is there' });
}
