import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng, type MonotonicMs } from '@ringfence/base';
import fc from 'fast-check';
import { inTurns, watchLeases, type LeaseRow, type SeenLeases } from './silent-leases.ts';

const SILENCE = 45_000;
const rng = seededRng('silent-leases');
const [org, job] = [newId('org', rng), newId('job', rng)];

test('a lease is silent exactly when its count stood still for the whole time, and never within it', () => {
  const steps = fc.array(fc.record({ waits: fc.integer({ min: 0, max: 30_000 }), renewed: fc.boolean() }));
  fc.assert(
    fc.property(steps, (history) => {
      let [seen, now, renewals, first]: [SeenLeases, number, number, number | undefined] = [new Map(), 5, 0, undefined];
      for (const { waits, renewed } of history) {
        now += waits;
        if (renewed) [renewals, first] = [renewals + 1, undefined];
        first ??= now;
        const row: LeaseRow = { org, job, attempt: 1, renewals };
        const watched = watchLeases(seen, [row], { now: now as MonotonicMs, silence: SILENCE });
        assert.deepEqual(watched.silent, now - first >= SILENCE ? [row] : []);
        seen = watched.seen;
      }
    }),
  );
});

test('a process that starts watches anew, each attempt counts for itself, and what is over is forgotten', () => {
  const at = (now: number) => ({ now: now as MonotonicMs, silence: SILENCE });
  const rows: LeaseRow[] = [1, 2].map((attempt) => ({ org, job, attempt, renewals: 7 }));
  const { seen } = watchLeases(new Map(), rows.slice(0, 1), at(0));
  const later = watchLeases(seen, rows, at(SILENCE));
  assert.deepEqual(later.silent, rows.slice(0, 1));
  assert.deepEqual(watchLeases(new Map(), rows, at(SILENCE)).silent, []);
  assert.equal(watchLeases(later.seen, [], at(SILENCE)).seen.size, 0);
});

test('of many, each organisation has its turn before one has its second', () => {
  const [many, few] = [newId('org', rng), newId('org', rng)];
  const rows = [...Array.from({ length: 300 }, (_, number) => ({ org: many, number })), { org: few, number: 0 }];
  const some = inTurns(rows, 200);
  assert.equal(some.length, 200);
  assert.deepEqual(some.slice(0, 3), [rows[0], rows[300], rows[1]]);
  assert.deepEqual(inTurns(rows.slice(0, 2), 200), rows.slice(0, 2));
  assert.deepEqual(inTurns([], 200), []);
});
