import type { UnitRun } from './run-units.ts';

/** Files with passes and nothing else, and how many passes they had. */
export type CompleteFiles = { files: readonly string[]; passed: number };

/**
 * What of these runs need not be run again; `place` turns an absolute path into one of the checkout, `doesMore` names files that do more in
 * `npm run test:full`.
 */
export function completeFiles(
  runs: readonly UnitRun[],
  place: (file: string) => string,
  doesMore: (path: string) => boolean,
): CompleteFiles {
  const all = runs.map(({ unit, outcomes }) => {
    const unfinished = new Set(outcomes.filter(({ result }) => result !== 'passed').map(({ file }) => place(file)));
    const heard = new Set(outcomes.map(({ file }) => place(file)));
    // Of a file on its own every outcome is its own, whichever module defines the test.
    if (unfinished.size === 0 && unit.files.length === 1) {
      const files = heard.size === 0 ? [] : unit.files.filter((file) => !doesMore(file));
      return { files, passed: files.length === 0 ? 0 : outcomes.length };
    }
    // A test that another module defines stands under that module's name: it may be of any of these files.
    if ([...unfinished].some((file) => !unit.files.includes(file))) return { files: [], passed: 0 };
    const files = unit.files.filter((file) => heard.has(file) && !unfinished.has(file) && !doesMore(file));
    return { files, passed: outcomes.filter(({ file }) => files.includes(place(file))).length };
  });
  return { files: all.flatMap(({ files }) => files), passed: all.reduce((sum, { passed }) => sum + passed, 0) };
}
