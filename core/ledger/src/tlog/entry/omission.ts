/** A signed statement that somebody's journal shows and that the log of its maker must show too. */
export interface WitnessedStatement {
  /** SHA-256 of the statement, 64 hexadecimal digits. */
  readonly digest: string;
  /** When it was journaled, in milliseconds since 1970. */
  readonly at: number;
}

/** A statement that the log leaves out, and where it would have been. */
export interface Omission {
  readonly statement: WitnessedStatement;
  /** Index of the first entry later than the statement: the missing one belongs before it. */
  readonly before: number;
}

/** Finds statements that were made and acted on and never logged: no proof about a tree can show these. */
export class OmissionCheck {
  readonly #missing: Map<string, WitnessedStatement>;
  readonly #times: { readonly at: number; readonly index: number }[] = [];
  #latest = -Infinity;

  /** Looks for these statements, from the journals of agents and custodians. */
  constructor(statements: Iterable<WitnessedStatement>) {
    this.#missing = new Map(Array.from(statements, (statement) => [statement.digest, statement]));
  }

  /** Takes the log's entries, in order. */
  take(entry: { readonly seq: number; readonly at: number; readonly statements: readonly string[] }): void {
    for (const digest of entry.statements) this.#missing.delete(digest);
    if (entry.at <= this.#latest) return;
    this.#latest = entry.at;
    this.#times.push({ at: entry.at, index: entry.seq });
  }

  /**
   * What is missing although the log goes on for more than `graceMs` after it; statements younger than that may still be
   * on their way. Earliest place first.
   */
  end(graceMs: number): Omission[] {
    const late = [...this.#missing.values()].filter(({ at }) => at + graceMs < this.#latest);
    return late
      .map((statement) => ({ statement, before: this.#firstAfter(statement.at) }))
      .toSorted((a, b) => a.before - b.before);
  }

  #firstAfter(at: number): number {
    let [low, high] = [0, this.#times.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle]?.at ?? Infinity) > at) high = middle;
      else low = middle + 1;
    }
    return this.#times[low]?.index ?? 0;
  }
}
