import { globSync } from 'node:fs';
import { EXPECTED_SECONDS } from './expected-seconds.ts';

/** What one process runs: files, paths relative to the checkout, and the seconds that they take. */
export type TestUnit = { files: readonly string[]; seconds: number };

const TEST_FOLDERS = ['core', 'engines', 'apps', 'scripts', 'examples', 'tests', 'bench', 'sdk'];
const PURE = /^(core\/(?!store\/|client\/|base\/src\/platform\/)|engines\/)/;
/** These share a house by tests/e2e/shared-house.ts. */
const SHARED_HOUSE = /^tests\/e2e\/(egress|exec|job-metrics|logs|sandboxed-job|secrets)\.test\.ts$/;
/** Files of one package share a few processes: reading what they test takes longer than most of them. */
const BY_PACKAGE = /^(?:apps|core)\/[^/]+\//;
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

/** True for the text of a file that does more in `npm run test:full` than in `npm test`: it asks which of them runs it. */
export const doesMoreInFull = (text: string): boolean => text.includes("process.env['RINGFENCE_TEST_FULL']");

/** Processes that the pure files share. */
const PURE_UNITS = 4;
const SHORT_SECONDS = 1;
/** Files go on sharing a process until they take that long together: the processes are to end together too. */
const SHARED_SECONDS = 30;

/** Splits files into what one process runs, longest first, so that the processes end together. */
export function testUnits(files: readonly string[]): TestUnit[] {
  const pure: string[] = [];
  const groups = new Map<string, string[]>();
  for (const path of files) {
    if (PURE.test(path) && !isFullOnly(path)) pure.push(path);
    else groups.set(groupOf(path), [...(groups.get(groupOf(path)) ?? []), path]);
  }
  const shares = Array.from({ length: PURE_UNITS }, (_, unit) => pure.filter((_path, at) => at % PURE_UNITS === unit));
  return [...shares, ...[...groups].flatMap(([group, paths]) => (BY_PACKAGE.test(group) ? parted(paths) : [paths]))]
    .filter((unit) => unit.length > 0)
    .map((unit) => ({ files: unit, seconds: secondsOf(unit) }))
    .toSorted((a, b) => b.seconds - a.seconds);
}

/** Files with the same answer share processes; long ones, and those that start a house of their own, have one each. */
function groupOf(path: string): string {
  if (SHARED_HOUSE.test(path)) return 'the shared house';
  return isFullOnly(path) ? path : (BY_PACKAGE.exec(path)?.[0] ?? path);
}

/** Neighbours stay together. */
function parted(paths: readonly string[]): string[][] {
  const parts = Math.ceil(secondsOf(paths) / SHARED_SECONDS);
  const each = secondsOf(paths) / parts;
  const units: string[][] = Array.from({ length: parts }, () => []);
  let before = 0;
  for (const path of paths) {
    units[Math.min(parts - 1, Math.floor(before / each))]?.push(path);
    before += expected(path);
  }
  return units;
}

function secondsOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + expected(path), 0);
}

function expected(path: string): number {
  return EXPECTED_SECONDS[path] ?? SHORT_SECONDS;
}
