import { closeSync, existsSync, fdatasyncSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '@ringfence/base';
import type { LogLine } from '@ringfence/protocol/payload';

/** Which stream a line came from. */
export type LogStream = Extract<LogLine, { kind: 'line' }>['stream'];

const LONGEST_LINE = 16_384;
/** A line without an end, such as a progress bar, is shown after so long. */
const FLUSH_AFTER_MS = 500;
const TAIL_LINES = 60;
/** What waits in memory while the disk takes nothing, and how often it is tried again. */
const MOST_HELD_BYTES = 2 ** 20;
const AGAIN_AFTER_MS = 250;

/** Writes the output of one attempt as JSON lines, up to a limit, and tells followers; a disk that is full for a while costs no line. */
export class AttemptLog {
  readonly #path: string;
  readonly #limit: number;
  readonly #take: (bytes: number) => boolean;
  readonly #clock: Clock;
  readonly #file: number;
  readonly #streams = new Map<LogStream, LineSplitter>();
  readonly #listeners = new Set<() => void>();
  readonly #tail: string[] = [];
  #bytes: number;
  #full = false;
  #closed = false;
  #cancelFlush: (() => void) | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #cancelAgain: (() => void) | undefined;

  /** `take` is asked for room on the machine before anything is written. */
  constructor(path: string, options: { limit: number; clock: Clock; take?: (bytes: number) => boolean }) {
    this.#path = path;
    this.#limit = options.limit;
    this.#take = options.take ?? (() => true);
    this.#clock = options.clock;
    this.#file = openSync(path, 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  get path(): string {
    return this.#path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The last lines of stderr, oldest first. */
  get stderrTail(): readonly string[] {
    return this.#tail;
  }

  /** Takes a piece of output. */
  write(stream: LogStream, chunk: Uint8Array): void {
    if (this.#closed) return;
    const lines = this.#splitter(stream).take(chunk);
    this.#append(stream, lines);
    this.#cancelFlush ??= this.#clock.after(FLUSH_AFTER_MS, () => this.#flush());
  }

  /** Resolves when all that was taken so far is in the file, or after so many milliseconds in which the disk did not take it. */
  drained(within: number): Promise<void> {
    this.#flush();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        unlisten();
        resolve();
      };
      const unlisten = this.listen(() => this.#held.length === 0 && done());
      const cancel = this.#clock.after(within, done);
      if (this.#held.length === 0) done();
    });
  }

  /** The output has come to its end; what no disk took until now is lost. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#cancelAgain?.();
    this.#closed = true;
    // From here on a machine that loses power has it too.
    fdatasyncSync(this.#file);
    closeSync(this.#file);
    this.#tell();
  }

  /** Calls `changed` after each change, until the returned function is called. */
  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    for (const [stream, splitter] of this.#streams) this.#append(stream, splitter.rest());
  }

  #append(stream: LogStream, lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (stream === 'err') this.#remember(lines);
    if (this.#full) return;
    const at = this.#clock.now();
    let text = '';
    for (const line of lines) {
      const record = `${JSON.stringify({ at, stream, text: line })}\n`;
      if (this.#bytes + Buffer.byteLength(text) + Buffer.byteLength(record) > this.#limit) {
        this.#full = true;
        text += endMark(at, stream, `more than ${this.#limit} bytes`);
        break;
      }
      text += record;
    }
    if (!this.#take(Buffer.byteLength(text))) {
      this.#full = true;
      text = endMark(at, stream, 'the logs of this server have come to their quota');
      // Without room for the mark itself nothing more is written.
      if (!this.#take(Buffer.byteLength(text))) return;
    }
    this.#put(at, stream, Buffer.from(text));
  }

  /** A full disk costs the job nothing, and the log nothing that memory can hold until there is room. */
  #put(at: number, stream: LogStream, bytes: Buffer): void {
    const room = MOST_HELD_BYTES - this.#heldBytes;
    if (bytes.length > room) this.#full = true;
    const kept = bytes.length > room ? Buffer.from(endMark(at, stream, 'the disk was full')) : bytes;
    this.#bytes += kept.length;
    this.#heldBytes += kept.length;
    this.#held.push(kept);
    this.#drain();
  }

  #drain(): void {
    this.#cancelAgain?.();
    this.#cancelAgain = undefined;
    try {
      for (let [next] = this.#held; next !== undefined; [next] = this.#held) {
        const written = writeSync(this.#file, next);
        this.#heldBytes -= written;
        if (written === next.length) this.#held.shift();
        else this.#held[0] = next.subarray(written);
      }
    } catch {
      this.#cancelAgain = this.#clock.after(AGAIN_AFTER_MS, () => this.#drain());
    }
    this.#tell();
  }

  #remember(lines: readonly string[]): void {
    this.#tail.push(...lines);
    this.#tail.splice(0, Math.max(0, this.#tail.length - TAIL_LINES));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #splitter(stream: LogStream): LineSplitter {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const made = new LineSplitter();
    this.#streams.set(stream, made);
    return made;
  }
}

function endMark(at: number, stream: LogStream, why: string): string {
  return `${JSON.stringify({ at, stream, text: `[ringfence: ${why}; the rest is not kept]` })}\n`;
}

/** Cuts a byte stream into lines of at most {@link LONGEST_LINE} characters. */
class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #waiting = '';

  take(chunk: Uint8Array): string[] {
    const parts = (
      this.#waiting + this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    ).split('\n');
    this.#waiting = parts.pop() ?? '';
    const lines = parts.flatMap(cut);
    while (this.#waiting.length > LONGEST_LINE) {
      lines.push(this.#waiting.slice(0, LONGEST_LINE));
      this.#waiting = this.#waiting.slice(LONGEST_LINE);
    }
    return lines;
  }

  rest(): string[] {
    const line = this.#waiting + this.#decoder.end();
    this.#waiting = '';
    return line === '' ? [] : cut(line);
  }
}

function cut(line: string): string[] {
  if (line.length <= LONGEST_LINE) return [line];
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += LONGEST_LINE) pieces.push(line.slice(at, at + LONGEST_LINE));
  return pieces;
}

const READ_BYTES = 65_536;

/**
 * The whole lines of a log file from byte `from` on, as they are sent; at most {@link READ_BYTES} at a time, and where the next reading
 * begins. A position inside a line moves on to the next one.
 */
export function readLogLines(path: string, from: number): { lines: LogLine[]; next: number } {
  if (!existsSync(path)) return { lines: [], next: from };
  const size = statSync(path).size;
  if (from >= size) return { lines: [], next: from };
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(4 * READ_BYTES, size - from));
    const read = buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from));
    return parseLines(read, from);
  } finally {
    closeSync(file);
  }
}

function parseLines(bytes: Buffer, from: number): { lines: LogLine[]; next: number } {
  const lines: LogLine[] = [];
  let next = from;
  for (let at = 0; ;) {
    const end = bytes.indexOf(10, at);
    if (end < 0) return { lines, next };
    next = from + end + 1;
    const parsed = parseLine(bytes.toString('utf8', at, end));
    if (parsed !== undefined) lines.push({ kind: 'line', ...parsed, next });
    at = end + 1;
  }
}

function parseLine(text: string): Omit<Extract<LogLine, { kind: 'line' }>, 'kind' | 'next'> | undefined {
  try {
    return JSON.parse(text) as Omit<Extract<LogLine, { kind: 'line' }>, 'kind' | 'next'>;
  } catch {
    return undefined;
  }
}
