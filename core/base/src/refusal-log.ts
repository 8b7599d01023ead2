import type { Clock } from './clock.ts';
import type { Log, LogFields } from './log.ts';

/** Answers that may be somebody's try to get past a check: of form, identity, right, size or number. Not: what is not there, or was done already. */
const TOLD: ReadonlySet<number> = new Set([400, 401, 403, 413, 422, 429]);
const MOST_A_SECOND = 20;

/** Logs refused requests, one line each, as `api.refused`; in a flood so many a second, and with the next line how many were left out. */
export class RefusalLog {
  readonly #log: Pick<Log, 'info'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #begun = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  constructor(log: Pick<Log, 'info'>, clock: Pick<Clock, 'monotonic'>) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Notes an answer; those of other statuses are no refusals, and are not logged. */
  note(fields: LogFields & { readonly status: number }): void {
    if (!TOLD.has(fields.status)) return;
    const now = this.#clock.monotonic();
    if (now - this.#begun >= 1_000) {
      if (this.#leftOut > 0) this.#log.info('api.refusals-left-out', { count: this.#leftOut });
      this.#begun = now;
      this.#lines = 0;
      this.#leftOut = 0;
    }
    if (this.#lines >= MOST_A_SECOND) this.#leftOut += 1;
    else this.#log.info('api.refused', fields);
    this.#lines += 1;
  }
}
