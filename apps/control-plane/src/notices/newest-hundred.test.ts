import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochMs } from '@ringfence/base';
import { newestHundred } from './newest-hundred.ts';

test('what officers are told takes half of a hundred at most, and one’s own the rest', () => {
  const shown = (officers: number, own: number) =>
    newestHundred({ officers: some('officers', officers, 9_000), own: some('own', own, 8_000) });
  const count = (told: ReturnType<typeof shown>, about: string) => told.filter((each) => each.about === about).length;
  for (const [officers, own, ...expected] of [
    [60, 120, 50, 50],
    [120, 3, 50, 3],
    [2, 120, 2, 98],
    [0, 120, 0, 100],
    [3, 4, 3, 4],
  ] as const) {
    const told = shown(officers, own);
    assert.deepEqual([count(told, 'officers'), count(told, 'own')], expected, `${officers} and ${own}`);
    assert.deepEqual(
      told,
      told.toSorted((one, other) => other.at - one.at),
    );
  }
  const ids = shown(60, 120).map(({ id }) => id);
  assert.deepEqual([ids[0], ids.at(49), ids.at(50), ids.at(-1)], ['officers-0', 'officers-49', 'own-0', 'own-49']);
});

/** Each older than the one before it. */
function some(about: string, count: number, since: number) {
  return Array.from({ length: count }, (_, index) => ({
    id: `${about}-${index}`,
    at: (since - index) as EpochMs,
    about,
  }));
}
