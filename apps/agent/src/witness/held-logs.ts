import { existsSync, readFileSync } from 'node:fs';
import { jsonOf } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import type { HeldCheckpoint } from '@ringfence/ledger/tlog';
import { checkpointNote } from '@ringfence/protocol/api';
import { bytes32, whole } from '@ringfence/protocol';
import { z } from 'zod';
import { AgentError } from '../agent-error.ts';

const heldLogs = z.strictObject({
  v: z.literal(1),
  logs: z.record(
    z.string(),
    z.strictObject({
      key: bytes32,
      size: whole(0, Number.MAX_SAFE_INTEGER),
      note: checkpointNote,
      accused: z.boolean(),
      /** Entries below it were read and hold all grants of this agent's journal. */
      read: whole(0, Number.MAX_SAFE_INTEGER),
    }),
  ),
});
type HeldLog = z.infer<typeof heldLogs>['logs'][string];

/** The largest checkpoint of each log that this agent has seen, in a file that is durable before anything of it is cosigned. */
export class HeldLogs {
  readonly #path: string;
  #logs: Readonly<Record<string, HeldLog>>;

  /** Throws AgentError `bad-state` for a damaged file: a witness that forgot could be shown another history. */
  constructor(path: string) {
    this.#path = path;
    this.#logs = existsSync(path) ? read(path) : {};
  }

  /** What is held of the log of an origin. */
  of(origin: string): (HeldCheckpoint & { readonly accused: boolean; readonly read: number }) | undefined {
    return this.#logs[origin];
  }

  /** How many logs were found wrong. */
  get accused(): number {
    return Object.values(this.#logs).filter(({ accused }) => accused).length;
  }

  /** Stores a larger checkpoint, durably. */
  keep(origin: string, { key, size, note }: HeldCheckpoint): void {
    // What was logged before this agent first saw the log tells nothing of this agent's grants.
    const { accused = false, read: upTo = size } = this.#logs[origin] ?? {};
    this.#write(origin, { key, size, note, accused, read: upTo });
  }

  /** Stores that a log was found wrong: nothing of it is cosigned any more. Of one that was not held `shown` is kept. */
  accuse(origin: string, shown?: HeldCheckpoint): void {
    const log = this.#logs[origin] ?? (shown && { ...shown, read: shown.size });
    if (log !== undefined) this.#write(origin, { ...log, accused: true });
  }

  /** Stores how far entries were read. */
  readUpTo(origin: string, size: number): void {
    const log = this.#logs[origin];
    if (log !== undefined) this.#write(origin, { ...log, read: size });
  }

  #write(origin: string, log: HeldLog): void {
    this.#logs = { ...this.#logs, [origin]: log };
    writeFileAtomic(this.#path, `${JSON.stringify({ v: 1, logs: this.#logs })}\n`);
  }
}

function read(path: string): Readonly<Record<string, HeldLog>> {
  const parsed = heldLogs.safeParse(jsonOf(readFileSync(path)));
  if (parsed.success) return parsed.data.logs;
  throw new AgentError('bad-state', `${path} cannot be read`, {
    next: 'restore it from a backup; without it this agent could be shown another history of the logs',
  });
}
