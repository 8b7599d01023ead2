import { spawnSync } from 'node:child_process';

/** What masks are expanded by elsewhere: numpy's Mersenne Twister over the whole ring, added modulo 2^32; prints the CPU seconds of each turn. */
const LOOP = `
import sys, time
import numpy
length, turns = int(sys.argv[1]), int(sys.argv[2])
total = numpy.zeros(length, dtype=numpy.uint32)
for turn in range(turns):
    start = time.process_time()
    total += numpy.random.RandomState(turn).randint(0, 2**32 - 1, length, dtype=numpy.uint32)
    print(time.process_time() - start)
`;

/** CPU seconds of the fastest of `turns` masks of `length` words by python3-numpy; undefined where that is not installed. */
export function numpyMaskSeconds(length: number, turns: number): number | undefined {
  const { status, stdout } = spawnSync('python3', ['-c', LOOP, String(length), String(turns)], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const seconds = stdout.trim().split('\n').map(Number);
  return Math.min(...seconds);
}
