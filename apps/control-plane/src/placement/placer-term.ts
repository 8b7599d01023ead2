import type { Clock, Log, MonotonicMs } from '@ringfence/base';
import { sql } from 'kysely';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { ControlPlaneError } from '../control-plane-error.ts';

/** How long a term outlives its holder's last word, and how often the holder speaks. */
const TERM_MS = 6_000;
const RENEW_MS = 2_000;

/** Another's row, and since when this process has seen it so. */
interface SeenTerm {
  readonly term: number;
  readonly beat: number;
  readonly since: MonotonicMs;
}

/**
 * Which replica places: one row with a term that rises with each change of holder. Every write of the placer checks the row
 * in its own transaction, so a holder that was replaced while it slept commits nothing. A holder that was started again
 * takes its row over at once, in a new term.
 */
export class PlacerTerm {
  readonly #store: ControlPlaneStore;
  readonly #replica: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #term: number | undefined;
  #seen: SeenTerm | undefined;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: { store: ControlPlaneStore; replica: string; clock: Clock; log: Log }) {
    this.#store = options.store;
    this.#replica = options.replica;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** The term while this replica holds it. */
  get current(): number | undefined {
    return this.#term;
  }

  /** Takes or keeps the term now and then; `onTaken` is called when a new term begins here. */
  async start(onTaken: () => void): Promise<void> {
    if (this.#closed) return;
    try {
      const before = this.#term;
      this.#term = await this.#hold();
      if (this.#term !== undefined && this.#term !== before) {
        this.#log.info('placer.term', { term: this.#term, replica: this.#replica });
        onTaken();
      }
    } catch {
      // Without a database nobody places; the row decides who goes on when it is back.
      this.#term = undefined;
    }
    this.#cancel = this.#clock.after(RENEW_MS, () => void this.start(onTaken));
  }

  /** Lets the next replica in at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    if (this.#term === undefined) return;
    await this.#store
      .withSystem('hold-placer-term', (tx) =>
        tx.updateTable('placer_term').set({ until: 0 }).where('holder', '=', this.#replica).execute(),
      )
      .catch(() => undefined);
  }

  /** Throws unless this replica's term is still the one in the database; called inside each transaction of the placer. */
  async assertHeld(tx: Tx): Promise<number> {
    const row = await tx
      .selectFrom('placer_term')
      .select('term')
      .where('holder', '=', this.#replica)
      .forShare()
      .executeTakeFirst();
    if (row === undefined || row.term !== this.#term)
      throw new ControlPlaneError('unavailable', 'another replica places now');
    return row.term;
  }

  /** Another's term ends when this process saw its row stand still for long enough: no clock that is set ends it, or keeps a dead one's alive. */
  async #hold(): Promise<number | undefined> {
    const silent = this.#silent();
    return this.#store.withSystem('hold-placer-term', async (tx) => {
      const { rows } = await sql<{ term: number }>`
        insert into placer_term (term, holder, until) values (1, ${this.#replica}, ${this.#clock.now() + TERM_MS})
        on conflict (only_row) do update
          set holder = excluded.holder, until = excluded.until, beat = placer_term.beat + 1,
              term = placer_term.term + case when placer_term.holder = excluded.holder and placer_term.term = ${this.#term ?? 0} then 0 else 1 end
          where placer_term.holder = excluded.holder or placer_term.until = 0
            or (placer_term.term = ${silent?.term ?? 0} and placer_term.beat = ${silent?.beat ?? 0})
        returning term`.execute(tx);
      if (rows[0] === undefined)
        this.#note(await tx.selectFrom('placer_term').select(['term', 'beat']).executeTakeFirst());
      return rows[0]?.term;
    });
  }

  #silent(): SeenTerm | undefined {
    const seen = this.#seen;
    return seen !== undefined && this.#clock.monotonic() - seen.since >= TERM_MS ? seen : undefined;
  }

  #note(row: { term: number; beat: number } | undefined): void {
    if (row === undefined || (row.term === this.#seen?.term && row.beat === this.#seen.beat)) return;
    this.#seen = { ...row, since: this.#clock.monotonic() };
  }
}
