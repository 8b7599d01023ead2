import { statfsSync } from 'node:fs';

/** The disk of one folder, in bytes. */
export interface DiskState {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** What is kept free for those who finish what they began. */
  readonly reserveBytes: number;
}

/** Unless told: a gigabyte, or the twentieth part of a smaller disk. */
const RESERVE = 1_000_000_000;
const PART = 20;

/** Whether disks still have room beyond a reserve, asked of the system each time. */
export class DiskRoom {
  readonly #folders: readonly string[];
  readonly #reserve: number | undefined;
  #wasFull = false;

  /** `reserve` in bytes; undefined: a gigabyte, or the twentieth part of a smaller disk. */
  constructor(folders: readonly string[], reserve: number | undefined) {
    this.#folders = folders;
    this.#reserve = reserve;
  }

  /** The folder with the least room beyond the reserve. Throws errors of the file system. */
  state(): DiskState {
    const states = this.#folders.map((folder) => this.#stateOf(folder));
    const [least] = states.toSorted((a, b) => a.freeBytes - a.reserveBytes - (b.freeBytes - b.reserveBytes));
    if (least === undefined) throw new TypeError('a disk is that of a folder');
    return least;
  }

  /** Whether `more` bytes would leave at least the reserve. */
  hasRoomFor(more: number): boolean {
    const { freeBytes, reserveBytes } = this.state();
    return freeBytes - more >= reserveBytes;
  }

  /** Whether less than the reserve is free; once it is, until half as much again is free, so that the answer does not flutter. */
  isFull(): boolean {
    const { freeBytes, reserveBytes } = this.state();
    this.#wasFull = freeBytes < reserveBytes * (this.#wasFull ? 1.5 : 1);
    return this.#wasFull;
  }

  #stateOf(folder: string): DiskState {
    const { bavail, blocks, bsize } = statfsSync(folder);
    const totalBytes = blocks * bsize;
    const reserveBytes = this.#reserve ?? Math.min(RESERVE, Math.floor(totalBytes / PART));
    return { freeBytes: bavail * bsize, totalBytes, reserveBytes };
  }
}
