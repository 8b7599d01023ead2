import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@ringfence/base';
import { syncFolder } from '@ringfence/base/platform';
import type { Digest } from '@ringfence/crypto/sign';
import {
  appendRecord,
  JournalReader,
  LONGEST_LINE,
  type JournalFields,
  type JournalHead,
  type JournalRecord,
} from '@ringfence/ledger';
import { ClientError } from '../error.ts';

/** Name of a journal within its folder. */
export const JOURNAL_NAME = 'journal.jsonl';
/** A record is on disk after at most this many milliseconds. */
const SYNC_WITHIN = 1_000;
/** One of so many records has its place in memory, for `hashAt`. */
const INDEX_EVERY = 1_024;
const CHUNK = 1_048_576;

/**
 * The file behind a journal: appends at once, syncs when told and at the latest a second later. After a failed write or
 * sync it refuses everything (ClientError `journal-failed`): what the disk holds is then unknown until the next start.
 */
export class JournalFile {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #epochOffset: number;
  #head: JournalHead;
  #bytes: number;
  #syncedBytes: number;
  #syncing: { readonly upTo: number; readonly done: Promise<void> } | undefined;
  #cancelTimer: (() => void) | undefined;
  #failure: ClientError | undefined;
  /** Place of the line of record 1 + k × {@link INDEX_EVERY}. */
  readonly #index: number[] = [];

  /**
   * Opens or makes the journal in `folder`, hands every record to `visit`, and cuts off a torn last line. The caller
   * holds the folder's lock. Throws LedgerError `broken-journal`.
   */
  constructor(folder: string, clock: Clock, visit: (record: JournalRecord) => void) {
    this.#clock = clock;
    this.#epochOffset = clock.now() - clock.monotonic();
    this.#fd = openSync(join(folder, JOURNAL_NAME), 'a+', 0o600);
    try {
      const reader = this.#readAll(visit);
      this.#head = reader.head;
      this.#bytes = reader.offset;
      if (reader.end() > 0) ftruncateSync(this.#fd, reader.offset);
      fdatasyncSync(this.#fd);
      syncFolder(folder);
      this.#syncedBytes = this.#bytes;
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Number and hash of the newest record. */
  get head(): JournalHead {
    return this.#head;
  }

  /** The time that a record written now carries: wall clock of the start plus monotonic milliseconds since. */
  now(): number {
    return Math.max(0, Math.floor(this.#epochOffset + this.#clock.monotonic()));
  }

  /** Appends one record and returns it; it is in the file, not yet on disk. Throws ClientError `journal-failed`. */
  append(fields: JournalFields): JournalRecord {
    if (this.#failure !== undefined) throw this.#failure;
    const t = Math.max(this.now(), fields.kind === 'start' ? 0 : this.#head.t);
    const { line, head } = appendRecord(this.#head, fields, t);
    this.#write(Buffer.from(`${line}\n`));
    const hash_prev = this.#head.hash;
    this.#head = head;
    if ((head.seq - 1) % INDEX_EVERY === 0) this.#index.push(this.#bytes);
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#cancelTimer ??= this.#clock.after(SYNC_WITHIN, () => void this.sync().catch(() => {}));
    return { ...fields, ...head, hash_prev } as JournalRecord;
  }

  /** Resolves once every record appended before this call is on disk; calls share one fdatasync. */
  sync(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#syncedBytes === this.#bytes) return Promise.resolve();
    const current = this.#syncing;
    if (current === undefined) return this.#startSync();
    return current.upTo === this.#bytes ? current.done : current.done.then(() => this.sync());
  }

  /** Hash of the record with this number; undefined beyond the end. `seq` 0 is the empty journal. */
  hashAt(seq: number): Digest | undefined {
    if (seq === this.#head.seq) return this.#head.hash;
    let found: Digest | undefined;
    if (seq > 0 && seq < this.#head.seq)
      this.#scan(this.#index[Math.floor((seq - 1) / INDEX_EVERY)] ?? 0, (record) => {
        if (record.seq === seq) found = record.hash as Digest;
        return found === undefined;
      });
    return seq === 0 ? ('0'.repeat(64) as Digest) : found;
  }

  /** Reads the journal again from its beginning, for as long as `visit` returns true. */
  scan(visit: (record: JournalRecord) => boolean): void {
    this.#scan(0, visit);
  }

  /** Syncs and closes; call once. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    try {
      await this.sync();
    } finally {
      this.#failure = new ClientError('journal-failed', 'the journal is closed');
      closeSync(this.#fd);
    }
  }

  #readAll(visit: (record: JournalRecord) => void): JournalReader {
    const reader = new JournalReader();
    const chunk = Buffer.alloc(CHUNK);
    for (let at = 0; ;) {
      const length = readSync(this.#fd, chunk, 0, CHUNK, at);
      if (length === 0) return reader;
      at += length;
      for (const { record, offset } of reader.read(chunk.subarray(0, length))) {
        if ((record.seq - 1) % INDEX_EVERY === 0) this.#index.push(offset);
        visit(record);
      }
    }
  }

  /** Lines of this file were checked when they were read or written. */
  #scan(from: number, visit: (record: JournalRecord) => boolean): void {
    const chunk = Buffer.alloc(LONGEST_LINE + 1);
    for (let at = from; at < this.#bytes;) {
      const length = readSync(this.#fd, chunk, 0, Math.min(chunk.length, this.#bytes - at), at);
      const lines = chunk.subarray(0, chunk.lastIndexOf(10, length - 1) + 1);
      if (lines.length === 0) return;
      for (const line of lines.toString('utf8').trimEnd().split('\n'))
        if (!visit(JSON.parse(line) as JournalRecord)) return;
      at += lines.length;
    }
  }

  #write(line: Buffer): void {
    try {
      if (fstatSync(this.#fd).size !== this.#bytes) throw new Error('another process wrote to this journal');
      for (let at = 0; at < line.length;) at += writeSync(this.#fd, line, at);
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  #startSync(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const upTo = this.#bytes;
    const done = new Promise<void>((resolve, reject) => {
      fdatasync(this.#fd, (error) => {
        this.#syncing = undefined;
        if (error !== null) return reject(this.#fail(error));
        this.#syncedBytes = Math.max(this.#syncedBytes, upTo);
        resolve();
      });
    });
    this.#syncing = { upTo, done };
    return done;
  }

  #fail(cause: unknown): ClientError {
    this.#failure ??= new ClientError('journal-failed', 'the journal could not be written', {
      cause,
      next: 'free disk space or repair the disk, then start again',
    });
    return this.#failure;
  }
}
