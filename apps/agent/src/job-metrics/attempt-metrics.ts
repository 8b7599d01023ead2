import type { Clock } from '@ringfence/base';
import type { UsageNow } from '../sandbox/index.ts';
import { LineReader } from './line-reader.ts';
import { machineValue, machineValues, type Look } from './machine-values.ts';
import { MetricFile, type TakeRoom } from './metric-file.ts';
import type { MetricPipe } from './metric-pipe.ts';
import { MetricStore, type Measured } from './metric-store.ts';

/** How often the pipe is read. */
const TURN_MS = 250;
/** How often the machine is looked at: closely while a job is young, for one that fails or ends soon. */
const YOUNG_LOOK_MS = 500;
const LOOK_MS = 2_000;
const YOUNG_MS = 10_000;
/** How often folders are counted and graphics cards asked, after the last time came to its end. */
const SLOW_LOOK_MS = 10_000;

/** What is asked about a running attempt. */
export interface MeasuredJob {
  readonly now: () => UsageNow;
  /** Bytes in the folders that the job writes. */
  readonly diskBytes: () => Promise<number>;
  /** Values of the cards that the job was given. */
  readonly cards: () => Promise<readonly Measured[]>;
}

/** The metrics of one attempt: reads the job's pipe and looks at the machine while it runs, at rates that the job cannot raise. */
export class AttemptMetrics {
  readonly store = new MetricStore();
  readonly #clock: Clock;
  readonly #file: MetricFile;
  readonly #pipe: MetricPipe;
  readonly #lines = new LineReader();
  readonly #timers = new Set<() => void>();
  #closed = false;
  #look: Look | undefined;
  /** No process of it runs at this moment. */
  #over = false;

  constructor(path: string, { pipe, clock, take }: { pipe: MetricPipe; clock: Clock; take?: TakeRoom }) {
    this.#clock = clock;
    this.#pipe = pipe;
    this.#file = new MetricFile(path, this.store, take);
  }

  /** Measures from now until {@link close}. */
  watch(job: MeasuredJob): void {
    const begun = this.#clock.monotonic();
    this.#repeat(TURN_MS, () => {
      this.#keep(this.#reported(this.#pipe.read()));
      const now = this.#clock.monotonic();
      const due = now - begun < YOUNG_MS ? YOUNG_LOOK_MS : LOOK_MS;
      if (this.#look === undefined || now - this.#look.at >= due) this.#keep(this.#lookAt(job));
    });
    void this.#slowly(async () => [machineValue('disk', 'bytes', await job.diskBytes())]);
    void this.#slowly(job.cards);
  }

  /** The attempt is over: takes what still waits in the pipe. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    for (const piece of this.#pipe.rest()) this.#keep(this.#reported(piece));
    this.#file.close();
  }

  #lookAt(job: MeasuredJob): readonly Measured[] {
    const look = { at: this.#clock.monotonic(), usage: job.now() };
    // Nothing runs yet, or nothing any more: zeros would stand as what it used last.
    this.#over = look.usage.processes === 0;
    if (this.#over) return [];
    const values = machineValues(this.#look, look);
    this.#look = look;
    return values;
  }

  #reported(piece: Uint8Array): readonly Measured[] {
    const values: Measured[] = [];
    for (const parsed of this.#lines.take(piece)) {
      if (parsed.ok) values.push({ source: 'job', ...parsed.reported });
      else this.store.refuse(parsed.refusal, parsed.count);
    }
    return values;
  }

  #keep(values: readonly Measured[]): void {
    this.#file.append(this.store.take(this.#clock.now(), values));
  }

  #repeat(every: number, run: () => void): void {
    if (this.#closed) return;
    try {
      run();
    } catch {
      // What vanished while it was looked at costs one turn, not the job.
    }
    this.#after(every, () => this.#repeat(every, run));
  }

  async #slowly(look: () => Promise<readonly Measured[]>): Promise<void> {
    const values = await look().catch(() => []);
    if (this.#closed) return;
    if (!this.#over) this.#keep(values);
    this.#after(SLOW_LOOK_MS, () => void this.#slowly(look));
  }

  #after(delay: number, run: () => void): void {
    const cancel = this.#clock.after(delay, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }
}
