import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { systemClock } from './system-clock.ts';

test('the monotonic clock never goes back', () => {
  let before = systemClock.monotonic();
  for (let run = 0; run < 10_000; run += 1) {
    const now = systemClock.monotonic();
    assert.ok(now >= before);
    before = now;
  }
});

test('a timer runs once, after its time, unless it is cancelled', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let ran = 0;
  systemClock.after(100, () => (ran += 1));
  systemClock.after(100, () => (ran += 10))();
  mock.timers.tick(99);
  assert.equal(ran, 0);
  mock.timers.tick(1000);
  assert.equal(ran, 1);
});

test('a timer of ninety days waits ninety days, and can be cancelled on any of them', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const hour = 3_600_000;
  let ran = 0;
  systemClock.after(90 * 24 * hour, () => (ran += 1));
  const cancel = systemClock.after(90 * 24 * hour, () => (ran += 10));
  for (let passed = 1; passed < 90 * 24; passed += 1) {
    mock.timers.tick(hour);
    assert.equal(ran, 0, `after ${passed} hours`);
  }
  cancel();
  // A mocked timer that sets the next one does so at the end of its tick: each of the four may be a tick late.
  for (let late = 0; late < 5; late += 1) mock.timers.tick(hour);
  assert.equal(ran, 1);
});
