import type { JournalRecord } from '../journal/journal-record.ts';

const NONE = '0'.repeat(64);

/** The hashes of a journal's records by their number, from wherever the records begin. */
export class RecordHashes {
  readonly #hashes: string[] = [];
  #first = 1;

  /** No record was read yet. */
  get isEmpty(): boolean {
    return this.#hashes.length === 0;
  }

  /** Number of the first record. */
  get first(): number {
    return this.#first;
  }

  /** Number of the last record; one less than the first without any. */
  get newest(): number {
    return this.#first + this.#hashes.length - 1;
  }

  /** Hash of the last record; 64 zeros without any. */
  get head(): string {
    return this.#hashes.at(-1) ?? NONE;
  }

  /** Takes the next record. */
  push({ seq, hash }: JournalRecord): void {
    if (this.isEmpty) this.#first = seq;
    this.#hashes.push(hash);
  }

  /** Hash of the record with this number; undefined outside of what was read. 0 is the empty journal. */
  at(seq: number): string | undefined {
    return seq === 0 ? NONE : this.#hashes[seq - this.#first];
  }

  /** The record with this number was removed: nothing can be said about it. */
  isForgotten(seq: number): boolean {
    return seq > 0 && seq < this.#first;
  }
}
