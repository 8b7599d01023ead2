import { LedgerError } from '../ledger-error.ts';
import { isFold, unfold } from './fold.ts';
import { isTornTail, judgeRecord, LONGEST_LINE, readLine } from './journal-chain.ts';
import { EMPTY_JOURNAL, journalRecord, type JournalHead, type JournalRecord } from './journal-record.ts';

const NEWLINE = 10;

/** A record and the place of its line in the file. */
export interface PlacedRecord {
  readonly record: JournalRecord;
  /** Bytes before the line that holds it, alone or in a fold. */
  readonly offset: number;
}

/**
 * Reads a journal piece by piece, checking hash, chain, numbers and times of every record; folds come out as the records
 * that they stand for.
 */
export class JournalReader {
  #head: JournalHead;
  /** Nothing is known of what lies before: the first record has to be a checkpoint. */
  #anywhere: boolean;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** Begins at the beginning, behind `head`, or at a checkpoint wherever it lies. */
  constructor(from: JournalHead | 'checkpoint' = EMPTY_JOURNAL) {
    this.#anywhere = from === 'checkpoint';
    this.#head = from === 'checkpoint' ? EMPTY_JOURNAL : from;
  }

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
      const records = this.#take(this.#rest.subarray(0, end));
      const offset = this.#offset;
      this.#offset += end + 1;
      this.#rest = this.#rest.subarray(end + 1);
      for (const record of records) yield { record, offset };
    }
    if (this.#rest.length > LONGEST_LINE) throw brokenJournal(this.#head.seq + 1, 'canonical');
  }

  #take(line: Uint8Array): readonly JournalRecord[] {
    const json = readLine(line);
    if (json === undefined) throw brokenJournal(this.#head.seq + 1, 'canonical');
    if (this.#anywhere) this.#head = beforeCheckpoint(json) ?? this.#head;
    this.#anywhere = false;
    if (isFold(json)) {
      const unfolded = unfold(this.#head, json);
      if (!unfolded.ok) throw brokenJournal(unfolded.seq, unfolded.code);
      this.#head = unfolded.head;
      return unfolded.records;
    }
    const result = judgeRecord(this.#head, json);
    if (!result.ok) throw brokenJournal(this.#head.seq + 1, result.code);
    this.#head = result.head;
    return [result.record];
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

/** Where the journal stood before a checkpoint, as the checkpoint itself says. */
function beforeCheckpoint(json: unknown): JournalHead | undefined {
  const parsed = journalRecord.safeParse(json);
  if (!parsed.success || parsed.data.kind !== 'checkpoint') return undefined;
  const { seq, hash_prev, t } = parsed.data;
  return { seq: seq - 1, hash: hash_prev, t };
}

function brokenJournal(seq: number, fault: string): LedgerError {
  return new LedgerError('broken-journal', `the journal is broken at record ${seq} (${fault})`, {
    next: 'keep the file as it is, enrol this party again in a new folder, and find out what changed the old one',
  });
}
