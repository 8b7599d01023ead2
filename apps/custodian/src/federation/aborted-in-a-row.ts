/** The round after one that came to nothing begins at once; after two, so many milliseconds after the last leave. */
const FIRST_PAUSE_MS = 10_000;
/** It doubles with each more, up to this. */
export const LONGEST_PAUSE_MS = 1_800_000;
/** After so many in a row no more leave is given until somebody of the organisation has looked. */
export const MOST_IN_A_ROW = 10;

/** Rounds of a client that came to nothing since its last sum. */
export interface AbortedInARow {
  readonly count: number;
  /** When leave was given for the newest; 0 without one. */
  readonly newestAt: number;
}

/** Milliseconds from the last leave to the next one, after so many rounds in a row that came to nothing. */
export function pauseAfter(count: number): number {
  return count < 2 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (count - 2), LONGEST_PAUSE_MS);
}

/**
 * Whether a new round may begin after those that came to nothing. Each was debited, so an aggregator that has rounds begin and lets none end would spend a whole budget at once.
 */
export function afterAborted({ count, newestAt }: AbortedInARow, now: number): 'leave' | 'wait' | 'stop' {
  if (count >= MOST_IN_A_ROW) return 'stop';
  const since = now - newestAt;
  // A clock that was set back would make the pause as long as it was wrong.
  return since >= 0 && since < pauseAfter(count) ? 'wait' : 'leave';
}
