import { COUNTER_HOLD_MS, type MessageBody } from '@ringfence/protocol/messages';

type Beat = MessageBody<'heartbeat'>['attempts'][number];

/** What was last let through of each attempt, and when (monotonic milliseconds). */
export type HeldBeats = ReadonlyMap<string, { readonly beat: Beat; readonly since: number }>;

/**
 * The heartbeat that may leave at `now`: each attempt keeps the counters that it last showed until {@link COUNTER_HOLD_MS} have
 * passed, so that a job that steers its memory and CPU moves at most two buckets a minute past its perimeter.
 */
export function holdBeats(
  held: HeldBeats,
  attempts: readonly Beat[],
  now: number,
): { held: HeldBeats; attempts: Beat[] } {
  const next = new Map<string, { beat: Beat; since: number }>();
  for (const beat of attempts) {
    const key = `${beat.job} ${beat.attempt}`;
    const before = held.get(key);
    const keep = before !== undefined && now - before.since < COUNTER_HOLD_MS;
    next.set(key, keep ? before : { beat, since: now });
  }
  return { held: next, attempts: Array.from(next.values(), ({ beat }) => beat) };
}
