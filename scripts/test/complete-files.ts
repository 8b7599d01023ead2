import type { UnitRun } from './run-units.ts';

/** Files with nothing but passes, and how many passes they had. */
export type CompleteFiles = { files: readonly string[]; passed: number };

/** What of these runs need not be run again; `place` turns an absolute path into one of the checkout. */
export function completeFiles(runs: readonly UnitRun[], place: (file: string) => string): CompleteFiles {
  const all = runs.map(({ unit, outcomes }) => {
    // A test that another module defines stands under that module's name, so a process with one file is asked no further.
    const [only, ...others] = unit.files;
    const fileOf = (file: string): string | undefined => (others.length === 0 ? only : place(file));
    const unfinished = new Set(outcomes.filter(({ result }) => result !== 'passed').map(({ file }) => fileOf(file)));
    const nobodys = [...unfinished].some((file) => !unit.files.includes(file ?? ''));
    const files = nobodys ? [] : unit.files.filter((file) => !unfinished.has(file));
    return { files, passed: outcomes.filter(({ file }) => files.includes(fileOf(file) ?? '')).length };
  });
  return { files: all.flatMap(({ files }) => files), passed: all.reduce((sum, { passed }) => sum + passed, 0) };
}
