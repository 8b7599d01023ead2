import { errorFields, sleep, type Clock, type Log } from '@ringfence/base';
import { sql } from 'kysely';
import { CustodianError } from '../custodian-error.ts';
import type { CustodianStore } from '../store/open-store.ts';
import type { TermCheck } from '../store/termed-store.ts';

/** How long a term outlives its holder's last renewal, how often the holder renews, and how often others look. */
export const TERM_MS = 6_000;
const RENEW_MS = 2_000;
const LOOK_MS = 500;

/** What a term works with. */
export interface TermParts {
  readonly store: CustodianStore;
  /** This process, unlike every other. */
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, when another has the term or might have it; must not return while the process could still act. */
  readonly onLost: (why: 'superseded' | 'silent') => void;
}

interface Row {
  readonly term: number;
  readonly holder: string | null;
  readonly beat: number;
}

/**
 * The right to be the custodian of a database: one row, whose term rises with each change of holder. No wall clock takes part: a holder
 * stops {@link TERM_MS} after it began its last good renewal, and another takes over only what it has seen unchanged for as long, both by
 * their own monotonic clocks.
 */
export class ActiveTerm {
  readonly #parts: TermParts;
  readonly #term: number;
  #until: number;
  #cancelRenewal: () => void = () => {};
  #cancelEnd: () => void = () => {};
  #over = false;

  private constructor(parts: TermParts, term: number, until: number) {
    this.#parts = parts;
    this.#term = term;
    this.#until = until;
    this.#renewLater();
    this.#endLater();
  }

  /**
   * Takes the term when it is nobody's or its holder has fallen silent; `onWaiting` is called when the first look finds a holder. Throws
   * what `signal` aborts with.
   */
  static async take(parts: TermParts, onWaiting: () => Promise<void>, signal: AbortSignal): Promise<ActiveTerm> {
    const { clock, log } = parts;
    let seen: { readonly row: Row; readonly since: number } | undefined;
    for (let looks = 0; ; looks += 1) {
      signal.throwIfAborted();
      const row = await orWarn('standby.look', look(parts), log);
      const now = clock.monotonic();
      if (row !== undefined && (seen?.row.term !== row.term || seen.row.beat !== row.beat)) seen = { row, since: now };
      // Counted from a look that ended after the renewal: never earlier than its holder counts.
      if (row !== undefined && seen !== undefined && (row.holder === null || now - seen.since >= TERM_MS)) {
        const begun = clock.monotonic();
        const term = await orWarn('standby.take', takeOver(parts, row), log);
        if (term !== undefined) {
          log.info('standby.active', { term });
          return new ActiveTerm(parts, term, begun + TERM_MS);
        }
      }
      if (looks === 0) await onWaiting();
      await sleep(clock, LOOK_MS);
    }
  }

  /** The number of this term. */
  get number(): number {
    return this.#term;
  }

  /** Returns only while this process holds the term for certain; ends it otherwise, and throws CustodianError `unavailable`. */
  readonly assertHeld = (): void => {
    if (!this.#over && this.#parts.clock.monotonic() >= this.#until) this.#lose('silent');
    if (this.#over) throw superseded();
  };

  /** Locks the row's key for the transaction's length: a takeover waits for it, or it finds the takeover. */
  readonly check: TermCheck = async (tx, options) => {
    this.assertHeld();
    const row = tx.selectFrom('active_term').select('term').where('term', '=', this.#term);
    const found = await (options?.readOnly === true ? row : row.forKeyShare()).executeTakeFirst();
    if (found !== undefined) return;
    this.#lose('superseded');
    throw superseded();
  };

  /** Lets another in at once; call when everything that acts has stopped. */
  async release(): Promise<void> {
    this.#stop();
    const { store, holder } = this.#parts;
    await store
      .withSystem('hold-active-term', (tx) =>
        tx
          .updateTable('active_term')
          .set({ holder: null })
          .where('term', '=', this.#term)
          .where('holder', '=', holder)
          .execute(),
      )
      .catch(() => undefined);
  }

  async #renew(): Promise<void> {
    const { store, clock, log } = this.#parts;
    const begun = clock.monotonic();
    try {
      const { numUpdatedRows } = await store.withSystem('hold-active-term', (tx) =>
        tx
          .updateTable('active_term')
          .set({ beat: sql<number>`beat + 1` })
          .where('term', '=', this.#term)
          .executeTakeFirst(),
      );
      if (this.#over) return;
      this.assertHeld();
      if (numUpdatedRows !== 1n) return this.#lose('superseded');
      this.#until = begun + TERM_MS;
      this.#endLater();
    } catch (error) {
      if (this.#over) return;
      log.warn('standby.renewal', errorFields(error));
    }
    this.#renewLater();
  }

  #renewLater(): void {
    if (!this.#over) this.#cancelRenewal = this.#parts.clock.after(RENEW_MS, () => void this.#renew());
  }

  #endLater(): void {
    this.#cancelEnd();
    const left = Math.max(0, this.#until - this.#parts.clock.monotonic());
    this.#cancelEnd = this.#parts.clock.after(left, () => {
      if (this.#parts.clock.monotonic() >= this.#until) this.#lose('silent');
      else this.#endLater();
    });
  }

  #lose(why: 'superseded' | 'silent'): void {
    if (this.#over) return;
    this.#stop();
    this.#parts.onLost(why);
  }

  #stop(): void {
    this.#over = true;
    this.#cancelRenewal();
    this.#cancelEnd();
  }
}

/** Without a database nobody changes: the row decides when it is back. */
async function orWarn<T>(event: string, asked: Promise<T>, log: Log): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    log.warn(event, errorFields(error));
    return undefined;
  }
}

/** The row as it stands. */
async function look({ store }: TermParts): Promise<Row> {
  return store.withSystem('hold-active-term', (tx) =>
    tx.selectFrom('active_term').select(['term', 'holder', 'beat']).executeTakeFirstOrThrow(),
  );
}

/** The new term; undefined when the row has changed meanwhile. Waits for transactions of the old one. */
async function takeOver({ store, holder }: TermParts, seen: Row): Promise<number | undefined> {
  const taken = await store.withSystem('hold-active-term', (tx) =>
    tx
      .updateTable('active_term')
      .set({ term: seen.term + 1, holder, beat: 0 })
      .where('term', '=', seen.term)
      .where('beat', '=', seen.beat)
      .returning('term')
      .executeTakeFirst(),
  );
  return taken?.term;
}

function superseded(): CustodianError {
  return new CustodianError('unavailable', 'another process is the custodian now', { next: 'try again' });
}
