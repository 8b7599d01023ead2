import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isId } from '@ringfence/base';
import { AttemptFolder, attemptsOfJob } from '../attempt/attempt-folder.ts';
import { sealedMetricsPath, sealMark } from './log-to-seal.ts';

/** A log that made room, and the bytes that went with it. */
export interface DroppedLog {
  readonly folder: AttemptFolder;
  readonly bytes: number;
}

interface Kept {
  readonly folder: AttemptFolder;
  readonly bytes: number;
}

/**
 * Bounds what the logs and metrics of all attempts of this machine take together. The oldest attempts that are over make room; a running one
 * loses nothing that it wrote, and where running ones alone would exceed the quota what they write further is not kept.
 */
export class LogQuota {
  readonly limit: number;
  readonly #onDropped: (dropped: DroppedLog) => void;
  /** Attempts that are over, the oldest first. */
  readonly #over = new Map<string, Kept>();
  readonly #running = new Map<string, number>();
  #bytes = 0;

  /** Counts what lies below `state`; nothing of it runs any more. */
  constructor(state: string, limit: number, onDropped: (dropped: DroppedLog) => void = () => {}) {
    this.limit = limit;
    this.#onDropped = onDropped;
    const found = keptBelow(state).toSorted((a, b) => a.at - b.at);
    for (const { folder, bytes } of found) this.#keep(folder, bytes);
    this.#makeRoom(0);
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a running attempt may write so many bytes more, or fewer than it did; older logs go where they are in the way. */
  take(folder: AttemptFolder, bytes: number): boolean {
    this.#makeRoom(bytes);
    if (this.#bytes + bytes > this.limit) return false;
    const key = folder.path;
    this.#running.set(key, (this.#running.get(key) ?? 0) + bytes);
    this.#bytes += bytes;
    return true;
  }

  /** What an earlier process left of this attempt is a running one's again. */
  began(folder: AttemptFolder): void {
    const kept = this.#over.get(folder.path);
    this.#over.delete(folder.path);
    if (kept !== undefined) this.#running.set(folder.path, kept.bytes);
  }

  /** The attempt is over: from now on its log can make room for others. Said again, what it takes is counted anew. */
  over(folder: AttemptFolder): void {
    this.#bytes -= this.#running.get(folder.path) ?? 0;
    this.#running.delete(folder.path);
    this.#keep(folder, bytesOf(folder));
    this.#makeRoom(0);
  }

  /** Forgets attempts whose folders were removed. */
  forgetRemoved(): void {
    for (const [key, { bytes }] of this.#over)
      if (!existsSync(key)) {
        this.#over.delete(key);
        this.#bytes -= bytes;
      }
  }

  #keep(folder: AttemptFolder, bytes: number): void {
    this.#bytes += bytes - (this.#over.get(folder.path)?.bytes ?? 0);
    this.#over.delete(folder.path);
    if (bytes > 0) this.#over.set(folder.path, { folder, bytes });
  }

  #makeRoom(bytes: number): void {
    while (this.#bytes + bytes > this.limit && this.#over.size > 0) {
      const kept = [...this.#over.values()];
      // What the custodian has not got yet goes last: there is no other copy of it.
      const oldest = kept.find(({ folder }) => sealMark(folder) === undefined) ?? kept[0];
      if (oldest !== undefined) this.#drop(oldest);
    }
  }

  #drop({ folder, bytes }: Kept): void {
    this.#over.delete(folder.path);
    this.#bytes -= bytes;
    const { about } = folder;
    // Said before it is done: a crash between the two leaves a log that the next start counts again.
    if (about !== undefined) folder.write({ ...about, view: { ...about.view, logDropped: bytesAt(folder.logPath) } });
    rmSync(folder.logPath, { force: true });
    rmSync(folder.metricsPath, { force: true });
    rmSync(sealedMetricsPath(folder), { force: true });
    this.#onDropped({ folder, bytes });
  }
}

function keptBelow(state: string): (Kept & { at: number })[] {
  const attempts = join(state, 'attempts');
  if (!existsSync(attempts)) return [];
  return readdirSync(attempts)
    .filter((name) => isId('job', name))
    .flatMap((job) => attemptsOfJob(state, job).map((attempt) => new AttemptFolder(state, { job, attempt })))
    .map((folder) => ({ folder, bytes: bytesOf(folder), at: changedAt(folder.logPath) }));
}

function bytesOf(folder: AttemptFolder): number {
  return bytesAt(folder.logPath) + bytesAt(folder.metricsPath) + bytesAt(sealedMetricsPath(folder));
}

function bytesAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
