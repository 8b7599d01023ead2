import type { Running } from '../sandbox/index.ts';

/** Bucket n means [2^(n-1), 2^n) units, 0 none. */
function bucketOf(units: number): number {
  return units < 1 ? 0 : Math.min(63, Math.floor(Math.log2(units)) + 1);
}

/** What a heartbeat says of an attempt: MB of memory and CPU milliseconds, in powers of two; zeros while nothing runs. */
export function logBucket(running: Running | undefined): { memory: number; cpu: number } {
  const usage = running?.usage() ?? null;
  return { memory: bucketOf((usage?.peakMemoryBytes ?? 0) / 1e6), cpu: bucketOf(usage?.cpuMs ?? 0) };
}
