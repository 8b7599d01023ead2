import { globSync } from 'node:fs';
import { EXPECTED_SECONDS } from './expected-seconds.ts';

/** What one process runs: files, paths relative to the checkout, and the seconds that they take. */
export type TestUnit = { files: readonly string[]; seconds: number };

const TEST_FOLDERS = ['core', 'engines', 'apps', 'scripts', 'examples', 'tests', 'bench', 'sdk'];
const PURE = /^(core\/(?!store\/|client\/|base\/src\/platform\/)|engines\/)/;
const FULL_ONLY = /\.full\.test\.ts$/;
const SKIPPED_FOLDER = /(^|\/)(node_modules|dist|\.ringfence)(\/|$)/;

/** Finds the test files below `checkout`; `only` keeps those whose path starts with one of its entries (empty: all). */
export function findTestFiles(checkout: string, only: readonly string[]): string[] {
  const found = TEST_FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: checkout }));
  const wanted = (path: string) => only.length === 0 || only.some((prefix) => path.startsWith(prefix));
  return found.filter((path) => !SKIPPED_FOLDER.test(path) && wanted(path)).toSorted();
}

/** True for files that only `npm run test:full` runs. */
export const isFullOnly = (path: string): boolean => FULL_ONLY.test(path);

/** Processes that the pure files share. */
const PURE_UNITS = 2;
const SHORT_SECONDS = 2;

/**
 * Splits files into what one process runs, longest first, so that the processes end together. Units without processes or sockets
 * share one: starting it costs more than most of them take. All others have a process of their own.
 */
export function testUnits(files: readonly string[]): TestUnit[] {
  const pure = files.filter((path) => PURE.test(path));
  const shared = Array.from({ length: PURE_UNITS }, (_, at) =>
    pure.filter((_path, index) => index % PURE_UNITS === at),
  );
  const apart = files.filter((path) => !PURE.test(path)).map((path) => [path]);
  return [...shared, ...apart]
    .filter((unit) => unit.length > 0)
    .map((unit) => ({ files: unit, seconds: unit.reduce((sum, path) => sum + expected(path), 0) }))
    .toSorted((a, b) => b.seconds - a.seconds);
}

function expected(path: string): number {
  return EXPECTED_SECONDS[path] ?? (PURE.test(path) ? SHORT_SECONDS / 10 : SHORT_SECONDS);
}
