import type { Breakage } from './breakage.ts';

/** How long a term outlives its holder's last word, as in `apps/control-plane/src/placement/placer-term.ts`. */
const TERM_MS = 6_000;

/** The row that says who places. */
export interface TermRow {
  term: number;
  holder: string;
  beat: number;
}

/** One replica's side of the term: what it believes, and what it saw of another's row. */
export class SimulatedTerm {
  readonly #row: TermRow;
  readonly #name: string;
  readonly #breakage: Breakage | undefined;
  /** As it last heard; whoever was paused believes it still. */
  believed: number | undefined;
  #seen: { readonly term: number; readonly beat: number; readonly since: number } | undefined;

  constructor(row: TermRow, name: string, breakage: Breakage | undefined) {
    this.#row = row;
    this.#name = name;
    this.#breakage = breakage;
  }

  /** Takes or keeps the term; true when one begins here. */
  speak(now: number): boolean {
    const row = this.#row;
    if (row.holder === this.#name && row.term === this.believed) {
      row.beat += 1;
      return false;
    }
    // A process that was started again takes its row over at once.
    const mine = row.holder === this.#name || row.holder === '';
    if (mine || this.#isSilent(now)) {
      Object.assign(row, { term: row.term + 1, holder: this.#name, beat: row.beat + 1 });
      this.believed = row.term;
      return true;
    }
    this.believed = undefined;
    if (row.term !== this.#seen?.term || row.beat !== this.#seen.beat)
      this.#seen = { term: row.term, beat: row.beat, since: now };
    return false;
  }

  /** What each transaction of the placer asks of the row. */
  get isHeld(): boolean {
    return this.#row.holder === this.#name && this.#row.term === this.believed;
  }

  #isSilent(now: number): boolean {
    const seen = this.#seen;
    if (this.#breakage === 'leave-a-dead-term' || seen === undefined) return false;
    const same = seen.term === this.#row.term && seen.beat === this.#row.beat;
    return same && now - seen.since >= TERM_MS;
  }
}
