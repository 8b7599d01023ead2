import type { MonotonicMs } from '@ringfence/base';
import type { UsageNow } from '../sandbox/index.ts';
import type { Measured } from './metric-store.ts';

/** A look at what a sandbox uses. */
export interface Look {
  readonly at: MonotonicMs;
  readonly usage: UsageNow;
}

/** The machine's own series from a look and the one before it: cpu needs both. */
export function machineValues(before: Look | undefined, look: Look): readonly Measured[] {
  const { memoryBytes, processes } = look.usage;
  const took = before === undefined ? 0 : look.at - before.at;
  const used = before === undefined ? 0 : Math.max(0, look.usage.cpuMs - before.usage.cpuMs);
  return [
    ...(took > 0 ? [machineValue('cpu', 'cores', Math.round((used / took) * 1000) / 1000)] : []),
    machineValue('memory', 'bytes', memoryBytes),
    machineValue('processes', 'processes', processes),
  ];
}

/** One value that the machine measured. */
export function machineValue(
  name: string,
  unit: NonNullable<Measured['unit']>,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): Measured {
  return { source: 'machine', name, labels, unit, value };
}
