import { FlError } from '../../fl-error.ts';

/** The most cells of one file: rows of a training set fit a few hundred million bytes. */
const MOST_CELLS = 100_000_000;

/**
 * Cells of a CSV file (RFC 4180): commas, lines ending in LF or CRLF, quotes around cells that need them, doubled within. The header comes first; each row has as many cells. Throws FlError `bad-data`, which says the
 * row and never what is in it.
 */
export function parseCsv(text: string): {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const reader = new Reader(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const header = reader.row();
  if (header === undefined) throw new FlError('bad-data', 'the table has no header line');
  if (new Set(header).size !== header.length) throw new FlError('bad-data', 'the header names a column twice');
  const rows: string[][] = [];
  for (let row = reader.row(); row !== undefined; row = reader.row()) {
    if (row.length !== header.length)
      throw new FlError('bad-data', `row ${rows.length + 1} has ${row.length} cells, the header ${header.length}`);
    rows.push(row);
    if (rows.length * header.length > MOST_CELLS) throw new FlError('bad-data', 'the table is too large');
  }
  return { header, rows };
}

class Reader {
  readonly #text: string;
  #at = 0;
  #line = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next line's cells; undefined at the end. */
  row(): string[] | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const cells: string[] = [];
    for (;;) {
      cells.push(this.#text[this.#at] === '"' ? this.#quoted() : this.#plain());
      const next = this.#text[this.#at];
      this.#at += 1;
      if (next === ',') continue;
      this.#line += 1;
      if (next === '\r') this.#at += 1;
      return cells;
    }
  }

  /** Stops at a comma, a line's end or the text's. */
  #plain(): string {
    const start = this.#at;
    for (; this.#at < this.#text.length && !this.#ends(); this.#at += 1)
      if (this.#text[this.#at] === '"') throw this.#wrong('has a quote within a cell that has none around it');
    return this.#text.slice(start, this.#at);
  }

  #quoted(): string {
    let cell = '';
    for (;;) {
      const end = this.#text.indexOf('"', this.#at + 1);
      if (end === -1) throw this.#wrong('has a quote that nothing closes');
      cell += this.#text.slice(this.#at + 1, end);
      this.#at = end + 1;
      if (this.#text[this.#at] !== '"') break;
      cell += '"';
    }
    if (this.#at < this.#text.length && !this.#ends()) throw this.#wrong('goes on behind a closing quote');
    return cell;
  }

  #ends(): boolean {
    const here = this.#text[this.#at];
    return here === ',' || here === '\n' || (here === '\r' && this.#text[this.#at + 1] === '\n');
  }

  #wrong(what: string): FlError {
    return new FlError('bad-data', this.#line === 0 ? `the header ${what}` : `row ${this.#line} ${what}`);
  }
}
