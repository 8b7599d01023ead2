import { dirname } from 'node:path';
import type { UnitRun } from './run-units.ts';

/** Seconds of one file: of its process, or of its tests where files share a process. */
export type FileDuration = { file: string; seconds: number; cpuSeconds: number | undefined };

/** Durations of all files, slowest first; `place` turns an absolute path into one of the checkout. */
export function fileDurations(runs: readonly UnitRun[], place: (file: string) => string): FileDuration[] {
  const all = runs.flatMap(({ unit, outcomes, seconds, cpuSeconds }): FileDuration[] => {
    const [only, ...others] = unit.files;
    if (only !== undefined && others.length === 0) return [{ file: only, seconds, cpuSeconds }];
    return unit.files.map((file) => {
      const own = outcomes.filter((outcome) => place(outcome.file) === file);
      const milliseconds = own.reduce((sum, { duration = 0 }) => sum + duration, 0);
      return { file, seconds: milliseconds / 1000, cpuSeconds: undefined };
    });
  });
  return all.toSorted((a, b) => b.seconds - a.seconds);
}

/** Durations of the processes that several files share, named for the folder of the first, slowest first. */
export function sharedDurations(runs: readonly UnitRun[]): FileDuration[] {
  const shared = runs.filter(({ unit }) => unit.files.length > 1);
  return shared
    .map(({ unit: { files }, seconds, cpuSeconds }) => {
      const file = `${dirname(files[0] ?? '')} and its like (${files.length} files)`;
      return { file, seconds, cpuSeconds };
    })
    .toSorted((a, b) => b.seconds - a.seconds);
}

/** The line under it all: what the machine was kept busy with. */
export function totalLine(runs: readonly UnitRun[]): string {
  const sum = (of: (run: UnitRun) => number) => runs.reduce((seconds, run) => seconds + of(run), 0).toFixed(0);
  return `${runs.length} processes, one after the other ${sum((run) => run.seconds)} s, ${sum((run) => run.cpuSeconds)} s cpu`;
}

/** One line for each of the `count` slowest files. */
export function durationLines(durations: readonly FileDuration[], count: number): string[] {
  return durations.slice(0, count).map(({ file, seconds, cpuSeconds }) => {
    const cpu = cpuSeconds === undefined ? '' : cpuSeconds.toFixed(1);
    return `${seconds.toFixed(1).padStart(8)} s ${cpu.padStart(7)} s cpu  ${file}`;
  });
}
