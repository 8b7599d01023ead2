import { globSync } from 'node:fs';

/** Test files of one run, paths relative to the checkout. */
export type TestFiles = {
  /** Units without processes or sockets: many files share one process. */
  pure: readonly string[];
  /** Tests that start processes, servers or databases: one process a file. */
  apart: readonly string[];
};

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

/** Splits files by the isolation they need. */
export function byIsolation(files: readonly string[]): TestFiles {
  return { pure: files.filter((path) => PURE.test(path)), apart: files.filter((path) => !PURE.test(path)) };
}
