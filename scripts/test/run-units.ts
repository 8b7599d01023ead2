import { cpuSeconds } from './cpu-seconds.ts';
import { runFiles, type TestRun } from './run-files.ts';
import type { TestOutcome } from './outcome.ts';
import type { TestUnit } from './test-files.ts';

/** What a unit came to. */
export interface UnitRun {
  readonly unit: TestUnit;
  readonly outcomes: readonly TestOutcome[];
  /** Wall time from start to end of its process. */
  readonly seconds: number;
  /** Processor time of its process and all that it waited for, as last seen. */
  readonly cpuSeconds: number;
}

/** Runs units in the given order, as many at a time as there are `places`. */
export async function runUnits(
  units: readonly TestUnit[],
  places: number,
  common: Omit<TestRun, 'files' | 'onStart'>,
): Promise<UnitRun[]> {
  const waiting = [...units];
  process.once('SIGTERM', () => void waiting.splice(0));
  const done: UnitRun[] = [];
  const place = async (): Promise<void> => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) done.push(await runUnit(unit, common));
  };
  await Promise.all(Array.from({ length: places }, place));
  return done;
}

async function runUnit(unit: TestUnit, common: Omit<TestRun, 'files' | 'onStart'>): Promise<UnitRun> {
  const start = performance.now();
  let used: () => number = () => 0;
  const onStart = (pid: number): void => void (used = cpuSeconds(pid));
  const outcomes = await runFiles({ ...common, files: unit.files, onStart });
  return { unit, outcomes, seconds: (performance.now() - start) / 1000, cpuSeconds: used() };
}
