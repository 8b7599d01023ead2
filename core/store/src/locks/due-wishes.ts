import type { EpochMs } from '@ringfence/base';
import { LOOK_EVERY_MS } from '@ringfence/policy/assurance';
import type { LockWish } from './decide-lock.ts';
import type { StoredLock } from './stored-lock.ts';

/** What of a lock a lone officer waits for and nobody has looked at for half a minute: only time that was looked at counts. */
export function dueWishes({ confirming, lifting }: StoredLock, now: EpochMs): readonly LockWish[] {
  const isDue = (wish: StoredLock['lifting']): boolean =>
    wish !== null && wish.phase === 'waiting' && now - wish.lookedAt >= LOOK_EVERY_MS;
  return [...(isDue(confirming) ? (['confirm'] as const) : []), ...(isDue(lifting) ? (['lift'] as const) : [])];
}
