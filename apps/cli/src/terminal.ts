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

/** The terminal of this process. What a job, a server or a replica says commands no terminal; a file or a pipe gets it as it is. */
export function processTerminal(json: boolean): Terminal {
  const out = (text: string): void => void process.stdout.write(text);
  const [onOut, onErr] = [process.stdout, process.stderr].map(({ isTTY }) => (isTTY ? shown : asItIs));
  return {
    json,
    watched: process.stderr.isTTY,
    line: (text) => (json ? undefined : out(`${(onOut ?? shown)(text)}\n`)),
    value: (value) => (json ? out(`${jsonLine(value)}\n`) : undefined),
    note: (text) => void process.stderr.write(`${(onErr ?? shown)(text)}\n`),
    raw: out,
  };
}

/** A control character, with what would make a sequence of it that only sets colours (ECMA-48 8.3.117, SGR). */
const CONTROLS = /\p{Cc}(?:\[[0-9;]{0,32}m)?/gu;
const ESCAPE = 0x1b;

/** `text` with every control character but tabs, line feeds and colours made visible: others move the cursor, or write the clipboard. */
export function shown(text: string): string {
  return text.replaceAll(/\r(?=\n|$)/g, '').replaceAll(CONTROLS, (found) => {
    const code = found.codePointAt(0) ?? 0;
    const isColour = code === ESCAPE && found.length > 1;
    return isColour || found.startsWith('\n') || found.startsWith('\t') ? found : pictureOf(code) + found.slice(1);
  });
}

function pictureOf(code: number): string {
  if (code === 0x7f) return '␡';
  return code > 0x7f ? `<${code.toString(16)}>` : String.fromCodePoint(0x2400 + code);
}

function asItIs(text: string): string {
  return text;
}

/** What JSON (RFC 8259, 7) lets stand as it is, and a terminal takes for a command: DEL and C1. */
const BARE_CONTROLS = /[\u007f-\u009f]/g;

/** `value` as JSON on one line without any control character, so that whoever watches it is safe too; a reader gets the same value. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replaceAll(BARE_CONTROLS, (found) => `\\u00${found.charCodeAt(0).toString(16)}`);
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

/** {@link table}, or where it would be empty what to do about that. */
export function tableOr(empty: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? empty : table(head, rows);
}
