import { parseMetricLine, type ParsedLine } from './metric-line.ts';

/** Longest line in bytes; what is longer is dropped up to its end. */
export const LONGEST_LINE = 512;

/** Cuts what a job wrote into lines and reads each; keeps at most {@link LONGEST_LINE} bytes between two pieces. */
export class LineReader {
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #waiting: Uint8Array = new Uint8Array();
  #dropping = false;

  /** What the lines that end in `piece` came to. */
  *take(piece: Uint8Array): Generator<ParsedLine> {
    let begin = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, begin)) {
      const line = Buffer.concat([this.#waiting, piece.subarray(begin, end)]);
      begin = end + 1;
      this.#waiting = new Uint8Array();
      if (this.#dropping || line.length > LONGEST_LINE) yield { ok: false, refusal: 'too-long', count: 1 };
      else if (line.length > 0) yield this.#read(line);
      this.#dropping = false;
    }
    const rest = piece.subarray(begin);
    if (this.#dropping || rest.length === 0) return;
    this.#dropping = this.#waiting.length + rest.length > LONGEST_LINE;
    // A copy: the buffer behind `piece` is read into again.
    this.#waiting = this.#dropping ? new Uint8Array() : Buffer.concat([this.#waiting, rest]);
  }

  #read(line: Uint8Array): ParsedLine {
    try {
      return parseMetricLine(this.#utf8.decode(line));
    } catch {
      return { ok: false, refusal: 'malformed', count: 1 };
    }
  }
}
