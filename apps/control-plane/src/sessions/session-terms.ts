/** A session that nobody used for so long is over, in milliseconds. */
export const SESSION_IDLE_MS = 30 * 60_000;
/** A session is over after so long whatever happens, in milliseconds. */
export const SESSION_LASTS_MS = 12 * 3_600_000;
/** How many a member may have open; a further one ends the oldest. */
export const MOST_SESSIONS = 50;

/** When a session was last used and when it ends. */
export interface SessionTimes {
  readonly seen_at: number;
  readonly ends_at: number;
}

/** Whether a session that nobody ended goes on at `now`. */
export function goesOn({ seen_at, ends_at }: SessionTimes, now: number): boolean {
  return now < ends_at && now - seen_at < SESSION_IDLE_MS;
}
