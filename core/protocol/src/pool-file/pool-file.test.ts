import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { JobFileError } from '../job-file/problem.ts';
import { parsePoolFile, parsePoolFlags, POOL_FLAGS } from './pool-file.ts';

const FILE = `budget: 100 EUR
period: month
high: 5m
high_looks: 3
low: 1m
low_looks: 4
cooldown: 10m
min_lifetime: 30m
most_at_once: 10
overhead: 2m
home_cost: 0.50 EUR
`;

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    return error.problems.map(({ path, code, line }) => `${line ?? ''} ${path} ${code}`);
  }
  return [];
}

test('a file says all that flags can say, in the same words', () => {
  const wishes = parsePoolFile(FILE);
  assert.deepEqual(wishes, {
    budget: { microUnits: 100_000_000, currency: 'EUR' },
    periodMs: 30 * 86_400_000,
    highWaitMs: 300_000,
    highLooks: 3,
    lowWaitMs: 60_000,
    lowLooks: 4,
    cooldownMs: 600_000,
    minLifetimeMs: 1_800_000,
    mostAtOnce: 10,
    overheadMs: 120_000,
    homeHour: { microUnits: 500_000, currency: 'EUR' },
  });
  const lines = FILE.trim().split('\n');
  const flags = new Map(lines.map((line) => line.split(': ') as [string, string]));
  const hyphened = new Map([...flags].map(([key, value]) => [key.replaceAll('_', '-'), value]));
  assert.deepEqual(parsePoolFlags(hyphened), wishes);
  assert.deepEqual([...hyphened.keys()].toSorted(), [...POOL_FLAGS].toSorted());
});

test('what is not said is not wished, and all that is wrong is named at once', () => {
  assert.equal(parsePoolFlags(new Map()).budget, undefined);
  assert.equal(parsePoolFile('period: 2h').periodMs, 7_200_000);
  assert.deepEqual(
    problemsOf(() => parsePoolFile('budget: 100\nperiod: 5m\nhihg: 5m\nmost_at_once: -1\n')),
    ['1 budget wrong-value', '2 period wrong-value', '3 hihg unknown-key', '4 most_at_once wrong-value'],
  );
  const flags = new Map([
    ['budget', 'x'],
    ['min-lifetime', '3'],
  ]);
  assert.deepEqual(
    problemsOf(() => parsePoolFlags(flags)),
    [' --budget wrong-value', ' --min-lifetime wrong-value'],
  );
});

test('the file that docs/burst.md shows is one, and says every key', () => {
  const page = readFileSync(new URL('../../../../docs/burst.md', import.meta.url), 'utf8');
  const shown = /```yaml fragment\n([^`]*)```/.exec(page)?.[1] ?? assert.fail();
  assert.ok(Object.values(parsePoolFile(shown)).every((wish) => wish !== undefined));
});
