import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, newId, systemRng } from '@ringfence/base';
import { endsBy, FENCED, LEASE_GRACE_MS, LeaseEnds, type AttemptRow } from './attempt-end.ts';

const TTL_MS = 30_000;
const LENGTH_MS = TTL_MS + LEASE_GRACE_MS;
const job = newId('job', systemRng);

function rowAt(clock: ManualClock, attempt: number, onPartition: 'stop' | 'keep' = 'stop'): AttemptRow {
  const grantedAt = clock.now();
  return {
    job,
    attempt,
    granted_at: grantedAt,
    ends_by: endsBy({ onPartition }, { grantedAt, ttlMs: TTL_MS }),
    stopped: null,
  };
}

test('an attempt may run until its lease and grace have passed, however the wall clock is set before or after the grant', () => {
  for (const before of [-600_000, 0, 600_000])
    for (const later of [-600_000, 0, 600_000]) {
      const clock = new ManualClock();
      const ends = new LeaseEnds(clock);
      clock.advance(1_000_000);
      clock.jump(before);
      const row = rowAt(clock, 1);
      ends.runs(row);
      clock.jump(later);
      clock.advance(LENGTH_MS - 1);
      assert.equal(ends.mayRun(row), true);
      clock.advance(1);
      assert.equal(ends.mayRun(row), false);
      // Its agent says that it was renewed.
      ends.runs(row);
      clock.advance(LENGTH_MS - 1);
      assert.equal(ends.mayRun(row), true);
      clock.advance(1);
      assert.equal(ends.mayRun(row), false);
      // Forgotten by now, it stays over.
      ends.runs(rowAt(clock, 2));
      assert.equal(ends.mayRun(row), false);
    }
});

test('what a process before granted may run from this one’s beginning on; a word, a fence and nothing else ends it sooner', () => {
  const clock = new ManualClock();
  const row = rowAt(clock, 1);
  const keeps = rowAt(clock, 2, 'keep');
  clock.jump(600_000);
  const ends = new LeaseEnds(clock);
  assert.equal(ends.mayRun({ ...row, stopped: {} }), false);
  assert.equal(ends.mayRun({ ...row, ends_by: FENCED }), false);
  assert.equal(ends.mayRun({ ...keeps, ends_by: FENCED }), false);
  clock.advance(LENGTH_MS - 1);
  assert.equal(ends.mayRun(row), true);
  clock.advance(1);
  assert.equal(ends.mayRun(row), false);
  clock.advance(1_000_000);
  assert.equal(ends.mayRun(keeps), true);
});
