import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** Which part of a log is wished: lines from a byte on, of a moment or later, and at most the last so many. */
export interface LogWish {
  readonly from: number;
  /** Milliseconds since the epoch; 0 for all. */
  readonly since: number;
  /** Lines; undefined for all. */
  readonly tail: number | undefined;
}

const BLOCK = 65_536;

/** The byte at which the wished part of a log file begins. */
export function startOfLog(path: string, { from, since, tail }: LogWish): number {
  if (!existsSync(path) || (since === 0 && tail === undefined)) return from;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const last = tail === undefined ? from : Math.max(from, startOfTail(file, size, tail));
    return since === 0 ? last : startOfMoment(file, { from: last, size, since });
  } finally {
    closeSync(file);
  }
}

/** Counts line ends from the end of the file backwards; what stands behind the last one is not a line yet. */
function startOfTail(file: number, size: number, lines: number): number {
  const block = Buffer.alloc(BLOCK);
  let ends = 0;
  for (let end = size; end > 0;) {
    const begin = Math.max(0, end - BLOCK);
    const read = block.subarray(0, readSync(file, block, 0, end - begin, begin));
    for (let at = read.lastIndexOf(10); at >= 0; at = at === 0 ? -1 : read.lastIndexOf(10, at - 1)) {
      ends += 1;
      if (ends > lines) return begin + at + 1;
    }
    end = begin;
  }
  return 0;
}

/** The first line that is not older; every line begins with its moment. */
function startOfMoment(file: number, { from, size, since }: { from: number; size: number; since: number }): number {
  let rest = Buffer.alloc(0);
  let start = from;
  const block = Buffer.alloc(BLOCK);
  for (let at = from; at < size;) {
    const read = readSync(file, block, 0, BLOCK, at);
    if (read === 0) break;
    at += read;
    rest = Buffer.concat([rest, block.subarray(0, read)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const moment = /^\{"at":(\d{1,16})/.exec(rest.toString('latin1', 0, Math.min(end, 32)))?.[1];
      if (moment !== undefined && Number(moment) >= since) return start;
      start += end + 1;
      rest = rest.subarray(end + 1);
    }
  }
  return start;
}
