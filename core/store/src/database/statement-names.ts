/** More named statements than so many would cost every connection too much of the server's memory. */
const MOST_NAMES = 400;
const LONGEST_TEXT = 4_000;

const names = new Map<string, string>();

/**
 * The name under which connections prepare `text`, from the second time on that this process sends it: the server then parses and plans it
 * once for each connection. A text with `*` has none, since its columns change when another replica migrates.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known === undefined && names.size < MOST_NAMES && text.length <= LONGEST_TEXT && !text.includes('*'))
    names.set(text, `rf_${names.size}`);
  return known;
}
