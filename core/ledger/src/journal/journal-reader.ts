import { LedgerError } from '../ledger-error.ts';
import { isTornTail, LONGEST_LINE, readRecord } from './journal-chain.ts';
import { EMPTY_JOURNAL, type JournalHead, type JournalRecord } from './journal-record.ts';

const NEWLINE = 10;

/** A record and the place of its line in the file. */
export interface PlacedRecord {
  readonly record: JournalRecord;
  /** Bytes before the line. */
  readonly offset: number;
}

/** Reads a journal piece by piece, checking hash, chain, numbers and times of every record. */
export class JournalReader {
  #head: JournalHead = EMPTY_JOURNAL;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** Where the records read so far lead. */
  get head(): JournalHead {
    return this.#head;
  }

  /** Bytes of the whole lines read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The records that end within `bytes`; throws LedgerError `broken-journal` at the first that is wrong. */
  *read(bytes: Uint8Array): Generator<PlacedRecord> {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    for (let end = this.#rest.indexOf(NEWLINE); end >= 0; end = this.#rest.indexOf(NEWLINE)) {
      const result = readRecord(this.#head, this.#rest.subarray(0, end));
      if (!result.ok) throw brokenJournal(this.#head.seq + 1, result.code);
      const offset = this.#offset;
      this.#head = result.head;
      this.#offset += end + 1;
      this.#rest = this.#rest.subarray(end + 1);
      yield { record: result.record, offset };
    }
    if (this.#rest.length > LONGEST_LINE) throw brokenJournal(this.#head.seq + 1, 'canonical');
  }

  /** Ends the reading: the bytes of a torn last line to cut off (0 for none); throws LedgerError `broken-journal`. */
  end(): number {
    if (!isTornTail(this.#head, this.#rest)) throw brokenJournal(this.#head.seq + 1, 'canonical');
    return this.#rest.length;
  }
}

/** All records of a journal held in memory; throws LedgerError `broken-journal`. A torn last line is left out. */
export function readJournal(bytes: Uint8Array): { records: JournalRecord[]; head: JournalHead; torn: number } {
  const reader = new JournalReader();
  const records = Array.from(reader.read(bytes), ({ record }) => record);
  return { records, head: reader.head, torn: reader.end() };
}

function brokenJournal(seq: number, fault: string): LedgerError {
  return new LedgerError('broken-journal', `the journal is broken at record ${seq} (${fault})`, {
    next: 'keep the file as it is, enrol this party again in a new folder, and find out what changed the old one',
  });
}
