import { availableParallelism, cpus } from 'node:os';

/** How many cores that this process may use were idle, at most, on average over the next `milliseconds`. */
export async function idleCores(milliseconds: number): Promise<number> {
  const [since, before] = [performance.now(), idleMilliseconds()];
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return usableIdle((idleMilliseconds() - before) / (performance.now() - since), cpus().length, availableParallelism());
}

/**
 * Of `idle` cores of a machine with `cores`, those that a process held to `allowed` of them can be sure to find idle: in a container the
 * others' idleness is nobody's that it could use.
 */
export function usableIdle(idle: number, cores: number, allowed: number): number {
  return Math.max(0, idle - Math.max(0, cores - allowed));
}

function idleMilliseconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0);
}
