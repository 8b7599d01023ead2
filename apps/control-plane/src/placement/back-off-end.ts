import { LONGEST_BACK_OFF_MS } from '@ringfence/policy';

/**
 * The moments at which a job that waits until then may be tried now (milliseconds since the epoch): those up to `past`, and those
 * from `impossible` on. No back-off is that long, so the clock was ahead when it was written, and has been set right since.
 */
export function dueAt(now: number): { readonly past: number; readonly impossible: number } {
  return { past: now, impossible: now + LONGEST_BACK_OFF_MS + 1 };
}
