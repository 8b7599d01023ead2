import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonOf, utf8 } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { openCheckpoint, trustInLog, type TreeHead } from '@ringfence/ledger/tlog';
import { checkpointNote, noteVerifierKey } from '@ringfence/protocol/api';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';

/** What this device knows of logs: the key under which it met each, and the largest checkpoint that it verified. */
const knownLogs = z.strictObject({
  v: z.literal(1),
  logs: z.record(z.string(), z.strictObject({ key: noteVerifierKey, checkpoint: checkpointNote.nullable() })),
});
type KnownLogs = z.infer<typeof knownLogs>;

/** The logs that `home` knows, and how they are remembered. Throws CliError `bad-file` for a damaged file. */
export class LogMemory {
  readonly #path: string;
  #known: KnownLogs;

  constructor(home: string) {
    this.#path = join(home, 'audit-logs.json');
    this.#known = existsSync(this.#path) ? read(this.#path) : { v: 1, logs: {} };
  }

  /** The key of the log of an origin; undefined for one that was never met. */
  keyOf(origin: string): string | undefined {
    return this.#known.logs[origin]?.key;
  }

  /** The largest head that was verified. */
  headOf(origin: string): TreeHead | undefined {
    const log = this.#known.logs[origin];
    const trust = log && trustInLog(log.key);
    if (log === undefined || trust === undefined || log.checkpoint === null) return undefined;
    const opened = openCheckpoint(utf8(log.checkpoint), trust);
    return opened.ok ? opened.signed.checkpoint : undefined;
  }

  /** Remembers the key of a log that was met; throws CliError `not-trusted` when it was met under another. */
  meet(origin: string, key: string): void {
    const known = this.keyOf(origin);
    if (known === undefined) return this.#write(origin, { key, checkpoint: null });
    if (known !== key)
      throw new CliError('not-trusted', 'a log shows another key than the one that this device knows it by', {
        next: `somebody may have made a second log: ask the operator, and keep ${this.#path} as it is`,
      });
  }

  /** Remembers a checkpoint that was verified to continue the one before. */
  remember(origin: string, checkpoint: string): void {
    const log = this.#known.logs[origin];
    if (log !== undefined) this.#write(origin, { ...log, checkpoint });
  }

  #write(origin: string, log: KnownLogs['logs'][string]): void {
    this.#known = { v: 1, logs: { ...this.#known.logs, [origin]: log } };
    writeFileAtomic(this.#path, `${JSON.stringify(this.#known, null, 2)}\n`);
  }
}

function read(path: string): KnownLogs {
  const parsed = knownLogs.safeParse(jsonOf(readFileSync(path)));
  if (parsed.success) return parsed.data;
  throw new CliError('bad-file', `${path} is damaged`, {
    next: 'restore it from a backup: without it nothing that a log showed this device before is known',
  });
}
