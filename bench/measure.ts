import { loadavg } from 'node:os';

/** Median of repeats and their spread: half the distance between highest and lowest, as percent of the median. */
export type Repeated = { median: number; spreadPercent: number };

const NS_PER_S = 1e9;

/** The value below which `fraction` (0..1) of the values lie, by nearest rank; throws RangeError for no values. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1))];
  if (found === undefined) throw new RangeError('no values to take a percentile of');
  return found;
}

/** Sums repeats of one measurement up; throws RangeError for no values. */
export function overRepeats(values: readonly number[]): Repeated {
  const median = percentile(values, 0.5);
  const spreadPercent = ((Math.max(...values) - Math.min(...values)) / 2 / median) * 100;
  return { median, spreadPercent: Number(spreadPercent.toFixed(1)) };
}

/** How many processes wanted to run at once in the last minute: on how busy a machine something was measured. */
export function loadNow(): number {
  return Number((loadavg()[0] ?? 0).toFixed(1));
}

/** Calls `measure` (which returns one value) `repeats` times in turn and sums the values up. */
export async function repeated(repeats: number, measure: () => number | Promise<number>): Promise<Repeated> {
  const values: number[] = [];
  for (let i = 0; i < repeats; i += 1) values.push(await measure());
  return overRepeats(values);
}

/** How long and how often `perSecond` measures. */
export type RateOptions = { repeats?: number; milliseconds?: number };

/** Calls of a synchronous operation a second on one core: warms up, then `repeats` windows of `milliseconds` each. */
export async function perSecond(operation: () => void, options: RateOptions = {}): Promise<Repeated> {
  const { repeats = 5, milliseconds = 300 } = options;
  let batch = 1;
  while (timeNs(operation, batch) < 5e6) batch *= 2;
  return repeated(repeats, () => {
    const end = process.hrtime.bigint() + BigInt(milliseconds * 1e6);
    let calls = 0;
    let ns = 0;
    while (process.hrtime.bigint() < end) {
      ns += timeNs(operation, batch);
      calls += batch;
    }
    return (calls / ns) * NS_PER_S;
  });
}

function timeNs(operation: () => void, batch: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < batch; i += 1) operation();
  return Number(process.hrtime.bigint() - start);
}
