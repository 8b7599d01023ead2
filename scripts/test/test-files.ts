import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXPECTED_SECONDS } from './expected-seconds.ts';

/** What one process runs: files, paths relative to the checkout, and the seconds that they take. */
export type TestUnit = { files: readonly string[]; seconds: number };

const TEST_FOLDERS = ['core', 'engines', 'apps', 'scripts', 'examples', 'tests', 'bench', 'sdk'];
const PURE = /^(core\/(?!store\/|client\/|base\/src\/platform\/)|engines\/)/;
/** These share a house by tests/e2e/shared-house.ts. */
const SHARED_HOUSE = /^tests\/e2e\/(egress|exec|job-metrics|logs|sandboxed-job|secrets)\.test\.ts$/;
/** Files of one folder share a process: reading what they test takes longer than most of them. */
const BY_FOLDER = /^(apps|core)\//;
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

/** Splits files into what one process runs, longest first, so that the processes end together. */
export function testUnits(files: readonly string[]): TestUnit[] {
  const pure: string[] = [];
  const groups = new Map<string, string[]>();
  for (const path of files) {
    if (PURE.test(path)) pure.push(path);
    else groups.set(groupOf(path), [...(groups.get(groupOf(path)) ?? []), path]);
  }
  const halves = Array.from({ length: PURE_UNITS }, (_, unit) => pure.filter((_path, at) => at % PURE_UNITS === unit));
  return [...halves, ...groups.values()]
    .filter((unit) => unit.length > 0)
    .map((unit) => ({ files: unit, seconds: unit.reduce((sum, path) => sum + expected(path), 0) }))
    .toSorted((a, b) => b.seconds - a.seconds);
}

/** Files with the same answer share a process; long ones, and those that start a house of their own, have one each. */
function groupOf(path: string): string {
  if (SHARED_HOUSE.test(path)) return 'the shared house';
  return BY_FOLDER.test(path) && !isFullOnly(path) ? dirname(path) : path;
}

function expected(path: string): number {
  return EXPECTED_SECONDS[path] ?? (PURE.test(path) ? SHORT_SECONDS / 10 : SHORT_SECONDS);
}
