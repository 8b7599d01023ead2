/** What can be drawn on. */
export interface Screen {
  readonly columns: number;
  readonly colour: boolean;
  /** Lines can be drawn over. */
  readonly live: boolean;
}

const DEFAULT_COLUMNS = 80;
const WIDEST = 200;

/** Stdout as a screen; NO_COLOR (no-color.org) and TERM=dumb are honoured. */
export function screenOf(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Screen {
  const live = isTTY === true && env['TERM'] !== 'dumb';
  const wished = Number(env['COLUMNS']);
  const known = columns ?? (Number.isInteger(wished) && wished > 0 ? wished : DEFAULT_COLUMNS);
  return { columns: Math.min(WIDEST, Math.max(1, known)), colour: live && (env['NO_COLOR'] ?? '') === '', live };
}
