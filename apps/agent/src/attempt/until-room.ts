import { errorFields, sleep, type Clock, type Log } from '@ringfence/base';

const AGAIN_AFTER_MS = 500;
/** A full disk, and a user's share of one: both pass when something else is removed. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/**
 * Writes what an attempt's end must not be without, again and again while the disk is full; `write` must bear a repetition. Throws what
 * else it throws, and what it threw last when `signal` is aborted.
 */
export async function untilRoom(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
  write: () => void,
): Promise<void> {
  for (let told = false; ; told = true) {
    try {
      return write();
    } catch (error) {
      const full = error instanceof Error && 'code' in error && FULL.includes(error.code);
      if (!full || signal.aborted) throw error;
      if (!told)
        log.error('disk.full', { ...errorFields(error), next: 'free some disk: an attempt cannot end before' });
      await sleep(clock, AGAIN_AFTER_MS, signal);
    }
  }
}
