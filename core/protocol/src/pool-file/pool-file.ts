import { parseDuration } from '@ringfence/base';
import { durationWithin } from '../job-file/duration.ts';
import { parseHourlyPrice, type HourlyPrice } from '../job-file/price.ts';
import { ProblemList } from '../job-file/problem-list.ts';
import { JobFileError } from '../job-file/problem.ts';
import { record, text, wholeNumber } from '../job-file/read.ts';
import type { MapNode, Tree } from '../job-file/tree.ts';
import { readTree } from '../job-file/yaml-tree.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 366 * DAY;
const NAMED: Readonly<Record<string, number>> = { hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY };

const wait = durationWithin(0, YEAR, '0s to 366d');
const looks = wholeNumber(1, 1_000);

/** Keys of a `pool.yaml`; on the command line with hyphens. */
const fields = {
  budget: text(parseHourlyPrice, 'an amount such as 100 EUR'),
  period: text(parsePeriod, 'hour, day, week, month (30 days), or a duration from 1h to 366d'),
  high: durationWithin(1, YEAR, '1ms to 366d'),
  high_looks: looks,
  low: wait,
  low_looks: looks,
  cooldown: wait,
  min_lifetime: wait,
  most_at_once: wholeNumber(0, 100_000),
  overhead: durationWithin(0, DAY, '0s to 24h'),
  home_cost: text(parseHourlyPrice, 'what an own machine costs an hour, such as 0.50 EUR'),
};
const readFields = record(fields);

/** What somebody wants of a pool; what is absent stays as it is. Durations in milliseconds. */
export interface PoolWishes {
  readonly budget?: HourlyPrice | undefined;
  readonly periodMs?: number | undefined;
  readonly highWaitMs?: number | undefined;
  readonly highLooks?: number | undefined;
  readonly lowWaitMs?: number | undefined;
  readonly lowLooks?: number | undefined;
  readonly cooldownMs?: number | undefined;
  readonly minLifetimeMs?: number | undefined;
  readonly mostAtOnce?: number | undefined;
  readonly overheadMs?: number | undefined;
  readonly homeHour?: HourlyPrice | undefined;
}

/** Flags that say what a key of the file says. */
export const POOL_FLAGS: readonly string[] = Object.keys(fields).map(flagOf);

/** Reads the text of a `pool.yaml`. Throws JobFileError with every problem at once. */
export function parsePoolFile(source: string): PoolWishes {
  const problems = new ProblemList();
  const tree = readTree(source, problems);
  const wishes = tree === undefined ? undefined : read(tree, problems);
  if (wishes === undefined || !problems.isEmpty) throw new JobFileError(problems.against(tree), 'pool file');
  return wishes;
}

/** Reads the flags of {@link POOL_FLAGS} that were given. Throws JobFileError with every problem at once. */
export function parsePoolFlags(flags: ReadonlyMap<string, string>): PoolWishes {
  const problems = new ProblemList();
  const entries = Object.keys(fields).flatMap((key): MapNode['entries'] => {
    const value = flags.get(flagOf(key));
    return value === undefined ? [] : [{ key, line: 0, value: { kind: 'text', text: value, plain: true, line: 0 } }];
  });
  const wishes = read({ kind: 'map', entries, line: 0 }, problems);
  // Flags have no lines.
  const found = problems.against(undefined).map(({ path, ...problem }) => ({ ...problem, path: `--${flagOf(path)}` }));
  if (wishes === undefined || found.length > 0) throw new JobFileError(found, 'pool');
  return wishes;
}

function read(tree: Tree, problems: ProblemList): PoolWishes | undefined {
  const values = readFields(tree, { path: [], problems });
  if (values === undefined) return undefined;
  return {
    budget: values.budget,
    periodMs: values.period,
    highWaitMs: values.high,
    highLooks: values.high_looks,
    lowWaitMs: values.low,
    lowLooks: values.low_looks,
    cooldownMs: values.cooldown,
    minLifetimeMs: values.min_lifetime,
    mostAtOnce: values.most_at_once,
    overheadMs: values.overhead,
    homeHour: values.home_cost,
  };
}

function parsePeriod(value: string): number | undefined {
  const period = NAMED[value] ?? parseDuration(value);
  return period !== undefined && period >= HOUR && period <= YEAR ? period : undefined;
}

function flagOf(key: string): string {
  return key.replaceAll('_', '-');
}
