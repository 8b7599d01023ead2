import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
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
import { ClosedPart, type JournalRetention } from './closed-part.ts';
import type { SegmentFault } from './closed-segment.ts';
import { DRAFT_NAME, JOURNAL_NAME, segmentPath } from './segment-names.ts';

export { JOURNAL_NAME } from './segment-names.ts';

/** A record is on disk after at most this many milliseconds. */
const SYNC_WITHIN = 1_000;
/** One of so many records has its place in memory, for `hashAt`. */
const INDEX_EVERY = 1_024;
const CHUNK = 1_048_576;

/** What a journal's files are opened with beside their folder. */
export interface JournalFileOptions {
  /** Called at steps at which tests let a process die. */
  readonly fault?: SegmentFault | undefined;
  /** A closed segment could not be folded, compressed or removed. It stays as it is, which is whole; the next start tries again. */
  readonly onUntidy?: ((cause: unknown) => void) | undefined;
  /** Called once, when the first write or sync has failed: nothing is taken any more, and only another start helps. */
  readonly onFailed?: ((error: ClientError) => void) | undefined;
}

/**
 * The files behind a journal: one that is written to and those that are closed. Appends at once, syncs when told and at the latest a
 * second later. After a failed write or sync it refuses everything (ClientError `journal-failed`): what the disk holds is then unknown until the next start.
 */
export class JournalFile {
  readonly #folder: string;
  readonly #closed: ClosedPart;
  readonly #fault: SegmentFault;
  readonly #onUntidy: (cause: unknown) => void;
  readonly #onFailed: (error: ClientError) => void;
  #fd: number;
  /** Bytes of closed segments: all other positions count from the beginning of the first that this process wrote to. */
  #base = 0;
  /** The first record of the file that is written to. */
  #firstSeq = 1;
  #firstAt = 0;
  readonly #clock: Clock;
  readonly #epochOffset: number;
  #head: JournalHead;
  #bytes: number;
  #syncedBytes: number;
  #syncing: { readonly upTo: number; readonly done: Promise<void> } | undefined;
  #cancelTimer: (() => void) | undefined;
  #failure: ClientError | undefined;
  #finishing: Generator<void> | undefined;
  /** Place of the line of record 1 + k × {@link INDEX_EVERY}. */
  #index: number[] = [];

  /**
   * Opens or makes the journal in `folder`, hands the party's own steps in closed segments and then every record of the file that is
   * written to over to `visit`, and cuts off a torn last line. The caller holds the folder's lock. Throws LedgerError `broken-journal`,
   * ClientError `broken-steps`.
   */
  constructor(
    folder: string,
    clock: Clock,
    visit: (record: JournalRecord) => void,
    { fault = () => {}, onUntidy = () => {}, onFailed = () => {} }: JournalFileOptions = {},
  ) {
    this.#folder = folder;
    this.#fault = fault;
    this.#onUntidy = onUntidy;
    this.#onFailed = onFailed;
    this.#closed = new ClosedPart(folder, fault);
    for (const step of this.#closed.steps()) visit(step);
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

  /** It takes records: it is neither closed nor failed. */
  get isUsable(): boolean {
    return this.#failure === undefined;
  }

  /** Bytes of the file that is written to. */
  get segmentBytes(): number {
    return this.#bytes - this.#base;
  }

  /** Milliseconds since its first record. */
  get segmentAge(): number {
    return this.segmentBytes === 0 ? 0 : this.now() - this.#firstAt;
  }

  /**
   * Closes the file that is written to and begins the next one with the record that `begin` makes for it. Whatever moment a crash comes
   * at, the next start finds the one or the other. Throws ClientError `journal-failed`.
   */
  rotate(begin: (head: JournalHead) => JournalFields): JournalRecord {
    if (this.#failure !== undefined) throw this.#failure;
    this.#finishNow();
    const fields = begin(this.#head);
    const t = Math.max(this.now(), this.#head.t);
    const { line, head } = appendRecord(this.#head, fields, t);
    const first = this.#firstSeq;
    try {
      this.#begin(Buffer.from(`${line}\n`), first);
    } catch (cause) {
      throw this.#fail(cause);
    }
    const hash_prev = this.#head.hash;
    this.#head = head;
    this.#firstSeq = head.seq;
    this.#firstAt = t;
    this.#index = [this.#base];
    this.#bytes = this.#base + Buffer.byteLength(line) + 1;
    this.#syncedBytes = this.#bytes;
    this.#finishInTurn(this.#closed.closed(first));
    return { ...fields, ...head, hash_prev } as JournalRecord;
  }

  /** Compresses and removes closed segments that are old enough. */
  retain(retention: JournalRetention): void {
    try {
      this.#closed.retain(retention, this.now());
    } catch (cause) {
      this.#onUntidy(cause);
    }
  }

  /** Appends one record and returns it; it is in the file, not yet on disk. Throws ClientError `journal-failed`. */
  append(fields: JournalFields): JournalRecord {
    if (this.#failure !== undefined) throw this.#failure;
    const t = Math.max(this.now(), fields.kind === 'start' ? 0 : this.#head.t);
    const { line, head } = appendRecord(this.#head, fields, t);
    this.#write(Buffer.from(`${line}\n`));
    const hash_prev = this.#head.hash;
    this.#head = head;
    if (this.segmentBytes === 0) [this.#firstSeq, this.#firstAt] = [head.seq, t];
    if ((head.seq - this.#firstSeq) % INDEX_EVERY === 0) this.#index.push(this.#bytes);
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
    if (seq > 0 && seq < this.#firstSeq) return this.#closed.hashAt(seq);
    let found: Digest | undefined;
    if (seq > 0 && seq < this.#head.seq)
      this.#scan(this.#index[Math.floor((seq - this.#firstSeq) / INDEX_EVERY)] ?? this.#base, (record) => {
        if (record.seq === seq) found = record.hash as Digest;
        return found === undefined;
      });
    return seq === 0 ? ('0'.repeat(64) as Digest) : found;
  }

  /** Reads the party's own steps and the file that is written to again, for as long as `visit` returns true. */
  scan(visit: (record: JournalRecord) => boolean): void {
    this.#finishNow();
    for (const step of this.#closed.steps()) if (!visit(step)) return;
    this.#scan(this.#base, visit);
  }

  /** Syncs and closes; call once. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    // What is left to fold is folded at the next start.
    this.#finishing?.return?.(undefined);
    this.#finishing = undefined;
    try {
      await this.sync();
    } finally {
      this.#failure = new ClientError('journal-failed', 'the journal is closed');
      closeSync(this.#fd);
    }
  }

  #readAll(visit: (record: JournalRecord) => void): JournalReader {
    const reader = new JournalReader(this.#closed.end);
    const chunk = Buffer.alloc(CHUNK);
    for (let at = 0; ;) {
      const length = readSync(this.#fd, chunk, 0, CHUNK, at);
      if (length === 0) return reader;
      at += length;
      for (const { record, offset } of reader.read(chunk.subarray(0, length))) {
        if (offset === 0) [this.#firstSeq, this.#firstAt] = [record.seq, record.t];
        if ((record.seq - this.#firstSeq) % INDEX_EVERY === 0) this.#index.push(offset);
        visit(record);
      }
    }
  }

  /** Lines of this file were checked when they were read or written. */
  #scan(from: number, visit: (record: JournalRecord) => boolean): void {
    const chunk = Buffer.alloc(LONGEST_LINE + 1);
    for (let at = from; at < this.#bytes;) {
      const length = readSync(this.#fd, chunk, 0, Math.min(chunk.length, this.#bytes - at), at - this.#base);
      const lines = chunk.subarray(0, chunk.lastIndexOf(10, length - 1) + 1);
      if (lines.length === 0) return;
      for (const line of lines.toString('utf8').trimEnd().split('\n'))
        if (!visit(JSON.parse(line) as JournalRecord)) return;
      at += lines.length;
    }
  }

  #write(line: Buffer): void {
    try {
      if (fstatSync(this.#fd).size !== this.segmentBytes) throw new Error('another process wrote to this journal');
      for (let at = 0; at < line.length;) at += writeSync(this.#fd, line, at);
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  /** Draft, second name for the old file, new file in its place: each step leaves a folder that opens. */
  #begin(line: Buffer, first: number): void {
    const draft = join(this.#folder, DRAFT_NAME);
    const active = join(this.#folder, JOURNAL_NAME);
    if (fstatSync(this.#fd).size !== this.segmentBytes) throw new Error('another process wrote to this journal');
    fdatasyncSync(this.#fd);
    const fd = openSync(draft, 'wx+', 0o600);
    try {
      for (let at = 0; at < line.length;) at += writeSync(fd, line, at);
      fdatasyncSync(fd);
      this.#fault('segment-drafted');
      linkSync(active, segmentPath(this.#folder, first, 'raw'));
      this.#fault('segment-linked');
      renameSync(draft, active);
      syncFolder(this.#folder);
      this.#fault('segment-begun');
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    const old = this.#fd;
    // A sync that is on its way still needs the old file.
    if (this.#syncing === undefined) closeSync(old);
    else void this.#syncing.done.finally(() => closeSync(old)).catch(() => {});
    closeSync(fd);
    this.#fd = openSync(active, 'a+', 0o600);
    this.#base = this.#bytes;
  }

  /** Folds what was closed, a little at a time: frames and renewals go on meanwhile. */
  #finishInTurn(steps: Generator<void>): void {
    this.#finishing = steps;
    const next = (): void => {
      if (this.#finishing !== steps) return;
      try {
        if (steps.next().done === true) this.#finishing = undefined;
        else setImmediate(next);
      } catch (cause) {
        this.#finishing = undefined;
        this.#onUntidy(cause);
      }
    };
    next();
  }

  #finishNow(): void {
    try {
      while (this.#finishing?.next().done === false) continue;
    } catch (cause) {
      this.#onUntidy(cause);
    } finally {
      this.#finishing = undefined;
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
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = new ClientError('journal-failed', 'the journal could not be written', {
      cause,
      next: 'free disk space or repair the disk, then start again',
    });
    this.#onFailed(this.#failure);
    return this.#failure;
  }
}
