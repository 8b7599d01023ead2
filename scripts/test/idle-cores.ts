import { cpus } from 'node:os';

/** How many cores of the machine were idle, on average over the next `milliseconds`. */
export async function idleCores(milliseconds: number): Promise<number> {
  const [since, before] = [performance.now(), idleMilliseconds()];
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return (idleMilliseconds() - before) / (performance.now() - since);
}

function idleMilliseconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0);
}
