import { cpuSeconds } from './cpu-seconds.ts';
import { idleCores } from './idle-cores.ts';
import { runFiles, type TestRun } from './run-files.ts';
import type { TestOutcome } from './outcome.ts';
import type { TestUnit } from './test-files.ts';
import { timeLimits } from './time-limits.ts';

/** What a unit came to. */
export interface UnitRun {
  readonly unit: TestUnit;
  readonly outcomes: readonly TestOutcome[];
  /** Wall time from start to end of its process. */
  readonly seconds: number;
  /** Processor time of its process and all that it waited for, as last seen. */
  readonly cpuSeconds: number;
}

type Common = Omit<TestRun, 'files' | 'onStart' | 'quietMs'>;

const LOOK_MS = 3_000;
/** Idle cores at which the units that run mostly wait, for a lease to end or a process to come back. */
const IDLE_ENOUGH = 0.8;

/** How many units run at a time: `fixed` ones, and with `oneMore` another while those leave a core idle. */
export type Places = { fixed: number; oneMore: boolean };

/** Runs units in the given order. `common.timeoutMs` is what one test may take, but for those of time-limits.ts. */
export async function runUnits(units: readonly TestUnit[], places: Places, common: Common): Promise<UnitRun[]> {
  const waiting = [...units];
  process.once('SIGTERM', () => void waiting.splice(0));
  const done: UnitRun[] = [];
  const runNext = async (): Promise<void> => {
    const unit = waiting.shift();
    if (unit !== undefined) done.push(await runUnit(unit, common));
  };
  const place = async (): Promise<void> => {
    while (waiting.length > 0) await runNext();
  };
  const placeWhileIdle = async (): Promise<void> => {
    while (waiting.length > 0) if ((await idleCores(LOOK_MS)) >= IDLE_ENOUGH) await runNext();
  };
  await Promise.all([...Array.from({ length: places.fixed }, place), ...(places.oneMore ? [placeWhileIdle()] : [])]);
  return done;
}

async function runUnit(unit: TestUnit, common: Common): Promise<UnitRun> {
  const start = performance.now();
  let used: () => number = () => 0;
  const onStart = (pid: number): void => void (used = cpuSeconds(pid));
  const outcomes = await runFiles({
    ...common,
    ...timeLimits(unit.files, common.timeoutMs),
    files: unit.files,
    onStart,
  });
  return { unit, outcomes, seconds: (performance.now() - start) / 1000, cpuSeconds: used() };
}
