import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { clockOver, systemClock } from './system-clock.ts';

/** A clock whose monotonic side may run apart from its timers. */
function mockedClock(t: TestContext) {
  let now = 0.75;
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  return {
    clock: clockOver(() => now),
    pass: (timers: number, monotonic = timers): void => {
      now += monotonic;
      mock.timers.tick(timers);
    },
  };
}

test('the monotonic clock never goes back', () => {
  let before = systemClock.monotonic();
  for (let run = 0; run < 10_000; run += 1) {
    const now = systemClock.monotonic();
    assert.ok(now >= before);
    before = now;
  }
});

test('a timer runs once, after its time, unless it is cancelled', (t) => {
  const { clock, pass } = mockedClock(t);
  let ran = 0;
  clock.after(100, () => (ran += 1));
  clock.after(100, () => (ran += 10))();
  pass(99);
  assert.equal(ran, 0);
  pass(1000);
  assert.equal(ran, 1);
});

test('a timer that fires early by the monotonic clock waits for the rest, and can still be cancelled', (t) => {
  const { clock, pass } = mockedClock(t);
  const seen: number[] = [];
  clock.after(100, () => seen.push(clock.monotonic()));
  const cancel = clock.after(100, () => seen.push(-1));
  pass(100, 98.5);
  assert.deepEqual(seen, []);
  cancel();
  pass(2, 2);
  assert.deepEqual(seen, [101.25]);
});

test('no timer of this machine fires before its time by the monotonic clock', async () => {
  const fired = Array.from({ length: 500 }, (_, index) => {
    const delay = (index % 20) + index / 1000;
    const begun = systemClock.monotonic();
    return new Promise<number>((resolve) =>
      systemClock.after(delay, () => resolve(systemClock.monotonic() - begun - delay)),
    );
  });
  assert.ok(Math.min(...(await Promise.all(fired))) >= 0);
});

test('a timer of ninety days waits ninety days, and can be cancelled on any of them', (t) => {
  const { clock, pass } = mockedClock(t);
  const hour = 3_600_000;
  let ran = 0;
  clock.after(90 * 24 * hour, () => (ran += 1));
  const cancel = clock.after(90 * 24 * hour, () => (ran += 10));
  for (let passed = 1; passed < 90 * 24; passed += 1) {
    pass(hour);
    assert.equal(ran, 0, `after ${passed} hours`);
  }
  cancel();
  // A mocked timer that sets the next one does so at the end of its tick: each of the four may be a tick late.
  for (let late = 0; late < 5; late += 1) pass(hour);
  assert.equal(ran, 1);
});
