import { existsSync, readFileSync } from 'node:fs';
import { jsonOf } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import type { HeldCheckpoint } from '@ringfence/ledger/tlog';
import { checkpointNote } from '@ringfence/protocol/api';
import { bytes32, whole } from '@ringfence/protocol';
import { logAccusation, type LogAccusation } from '@ringfence/protocol/payload';
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
  /** Accusations that the journal or the custodian does not have yet; no member where there are none, as releases before this wrote it. */
  untold: z.array(z.strictObject({ accusation: logAccusation, journaled: z.boolean() })).default([]),
});
type Held = z.infer<typeof heldLogs>;
type HeldLog = Held['logs'][string];

/** What was found wrong with a log, and whether the journal has it; the custodian has not. */
export type UntoldAccusation = Held['untold'][number];

/** The largest checkpoint of each log that this agent has seen, in a file that is durable before anything of it is cosigned. */
export class HeldLogs {
  readonly #path: string;
  #logs: Readonly<Record<string, HeldLog>>;
  #untold: readonly UntoldAccusation[];

  /** Throws AgentError `bad-state` for a damaged file: a witness that forgot could be shown another history. */
  constructor(path: string) {
    this.#path = path;
    const { logs, untold } = existsSync(path) ? read(path) : { logs: {}, untold: [] };
    [this.#logs, this.#untold] = [logs, untold];
  }

  /** What is held of the log of an origin. */
  of(origin: string): (HeldCheckpoint & { readonly accused: boolean; readonly read: number }) | undefined {
    return this.#logs[origin];
  }

  /** How many logs were found wrong. */
  get accused(): number {
    return Object.values(this.#logs).filter(({ accused }) => accused).length;
  }

  /** What still has to be told, in the order of finding. */
  get untold(): readonly UntoldAccusation[] {
    return this.#untold;
  }

  /** Stores a larger checkpoint, durably. */
  keep(origin: string, { key, size, note }: HeldCheckpoint): void {
    // What was logged before this agent first saw the log tells nothing of this agent's grants.
    const { accused = false, read: upTo = size } = this.#logs[origin] ?? {};
    this.#write(origin, { key, size, note, accused, read: upTo });
  }

  /**
   * Stores that a log was found wrong, and what is to be told of it, at once: nothing of it is cosigned any more. Of one that was not held `shown`
   * is kept.
   */
  accuse(accusation: LogAccusation, shown?: HeldCheckpoint): void {
    const { origin } = accusation;
    const log = this.#logs[origin] ?? (shown && { ...shown, read: shown.size });
    this.#untold = [...this.#untold, { accusation, journaled: false }];
    if (log === undefined) this.#store();
    else this.#write(origin, { ...log, accused: true });
  }

  /** Stores that the journal has an accusation. */
  noteJournaled(told: LogAccusation): void {
    this.#untold = this.#untold.map((each) => (each.accusation === told ? { ...each, journaled: true } : each));
    this.#store();
  }

  /** Stores that the custodian took an accusation. */
  noteTold(told: LogAccusation): void {
    this.#untold = this.#untold.filter(({ accusation }) => accusation !== told);
    this.#store();
  }

  /** Stores how far entries were read. */
  readUpTo(origin: string, size: number): void {
    const log = this.#logs[origin];
    if (log !== undefined) this.#write(origin, { ...log, read: size });
  }

  #write(origin: string, log: HeldLog): void {
    this.#logs = { ...this.#logs, [origin]: log };
    this.#store();
  }

  #store(): void {
    const untold = this.#untold.length === 0 ? {} : { untold: this.#untold };
    writeFileAtomic(this.#path, `${JSON.stringify({ v: 1, logs: this.#logs, ...untold })}\n`);
  }
}

function read(path: string): Held {
  const parsed = heldLogs.safeParse(jsonOf(readFileSync(path)));
  if (parsed.success) return parsed.data;
  throw new AgentError('bad-state', `${path} cannot be read`, {
    next: 'restore it from a backup; without it this agent could be shown another history of the logs',
  });
}
