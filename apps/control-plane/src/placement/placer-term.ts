import type { Clock, Log } from '@ringfence/base';
import { sql } from 'kysely';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { ControlPlaneError } from '../control-plane-error.ts';

/** How long a term outlives its holder's last word, and how often the holder speaks. */
const TERM_MS = 6_000;
const RENEW_MS = 2_000;

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
      throw new ControlPlaneError('conflict', 'another replica places now');
    return row.term;
  }

  async #hold(): Promise<number | undefined> {
    const now = this.#clock.now();
    const { rows } = await this.#store.withSystem('hold-placer-term', (tx) =>
      sql<{ term: number }>`
        insert into placer_term (term, holder, until) values (1, ${this.#replica}, ${now + TERM_MS})
        on conflict (only_row) do update
          set holder = excluded.holder, until = excluded.until,
              term = placer_term.term + case when placer_term.holder = excluded.holder and placer_term.term = ${this.#term ?? 0} then 0 else 1 end
          where placer_term.holder = excluded.holder or placer_term.until < ${now}
        returning term`.execute(tx),
    );
    return rows[0]?.term;
  }
}
