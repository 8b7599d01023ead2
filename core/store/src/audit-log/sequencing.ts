import { errorFields, type Clock, type Log, type OrgId } from '@ringfence/base';
import type { LogSequencer, SignedHead } from './sequencer.ts';

/** What keeps logs up to date. */
export interface SequencingParts {
  readonly sequencer: LogSequencer;
  /** Organisations whose ledger is longer than their log. */
  readonly behind: () => Promise<readonly OrgId[]>;
  /** Whether this process is the one that appends. */
  readonly leads: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Changes that come within so many milliseconds share a batch. */
const LINGER_MS = 5;
/** How often logs are looked for that fell behind while nobody woke this process. */
const LOOK_MS = 2_000;
/** Logs that are appended to at the same time: each batch waits for the disk. */
const AT_ONCE = 4;

/** Runs the sequencer for whichever organisation has something new: at once when woken, and now and then. */
export class Sequencing {
  readonly #parts: SequencingParts;
  readonly #waiting = new Set<OrgId>();
  #onHead: (org: OrgId, head: SignedHead) => void = () => {};
  readonly #running = new Map<OrgId, Promise<void>>();
  #cancelLook = (): void => {};
  #cancelRun: (() => void) | undefined;
  #closed = false;
  #failures = 0;

  constructor(parts: SequencingParts) {
    this.#parts = parts;
  }

  /** How many batches failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** Calls `run` with each signed head. */
  onHead(run: (org: OrgId, head: SignedHead) => void): void {
    this.#onHead = run;
  }

  /** Looks for what fell behind, now and every two seconds. */
  start(): void {
    void this.#look();
  }

  /** An event of the organisation was committed. */
  wake(org: OrgId): void {
    if (this.#closed) return;
    this.#waiting.add(org);
    this.#cancelRun ??= this.#parts.clock.after(LINGER_MS, () => {
      this.#cancelRun = undefined;
      this.#run();
    });
  }

  /** Resolves when what runs has ended; nothing begins any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook();
    this.#cancelRun?.();
    await Promise.all(this.#running.values());
  }

  async #look(): Promise<void> {
    const { behind, leads, clock, log } = this.#parts;
    try {
      if (leads()) for (const org of await behind()) this.#waiting.add(org);
      this.#run();
    } catch (error) {
      log.warn('audit.not_looked', errorFields(error));
    }
    if (!this.#closed) this.#cancelLook = clock.after(LOOK_MS, () => void this.#look());
  }

  #run(): void {
    if (this.#closed) return;
    if (!this.#parts.leads()) return this.#waiting.clear();
    for (const org of this.#waiting) {
      if (this.#running.size >= AT_ONCE) return;
      if (this.#running.has(org)) continue;
      this.#waiting.delete(org);
      const run = this.#advance(org).finally(() => {
        this.#running.delete(org);
        this.#run();
      });
      this.#running.set(org, run);
    }
  }

  async #advance(org: OrgId): Promise<void> {
    const { sequencer, log } = this.#parts;
    try {
      const done = await sequencer.advance(org);
      if (done.kind === 'superseded') log.info('audit.superseded', {});
      if (done.kind !== 'appended') return;
      this.#onHead(org, done.head);
      if (done.more) this.#waiting.add(org);
    } catch (error) {
      // The next look tries again; nothing was signed that is not stored.
      this.#failures += 1;
      if (!this.#closed) log.error('audit.stuck', errorFields(error));
    }
  }
}
