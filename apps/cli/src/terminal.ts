/** Where a command's words go: results on stdout, everything about the work on stderr. */
export interface Terminal {
  /** `--json` was given: results are JSON and nothing else is on stdout. */
  readonly json: boolean;
  /** A person watches stderr. */
  readonly watched: boolean;
  /** One line of the result for people; silent with `--json`. */
  readonly line: (text: string) => void;
  /** The result, or one event of it, as a line of JSON; silent without `--json`. */
  readonly value: (value: object) => void;
  /** A remark on stderr. */
  readonly note: (text: string) => void;
  /** Text as it is, on stdout, whatever the mode. */
  readonly raw: (text: string) => void;
}

/** The terminal of this process. */
export function processTerminal(json: boolean): Terminal {
  const out = (text: string): void => void process.stdout.write(text);
  return {
    json,
    watched: process.stderr.isTTY,
    line: (text) => (json ? undefined : out(`${text}\n`)),
    value: (value) => (json ? out(`${JSON.stringify(value)}\n`) : undefined),
    note: (text) => void process.stderr.write(`${text}\n`),
    raw: out,
  };
}

/** Rows as aligned columns under a head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
