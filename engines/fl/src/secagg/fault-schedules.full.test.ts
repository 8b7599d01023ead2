import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSchedule } from './fault-schedule.fixture.ts';

test('a thousand schedules of faults, up to 30 % of the clients killed, end in the exact sum or cleanly', () => {
  const ends = Array.from({ length: 1_000 }, (_, at) => runSchedule(`full ${at}`, 3 + (at % 10)));
  const sums = ends.filter(({ code }) => code === undefined);
  assert.ok(sums.length > 300, `${sums.length} sums`);
  assert.ok(sums.some(({ included, clients }) => included < clients));
  assert.ok(ends.length - sums.length > 50, `${ends.length - sums.length} clean ends`);
});

test('so do schedules in which a graph is drawn', () => {
  const ends = Array.from({ length: 3 }, (_, at) => runSchedule(`graph ${at}`, 55 + at));
  assert.ok(ends.every(({ faults }) => faults > 0));
});
