import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { sleep } from './clock.ts';
import { ManualClock } from './manual-clock.ts';

test('a sleep ends when its time has come, and not before', async () => {
  const clock = new ManualClock();
  let awake = false;
  const slept = sleep(clock, 100).then(() => {
    awake = true;
  });
  clock.advance(99);
  await Promise.resolve();
  assert.equal(awake, false);
  clock.advance(1);
  await slept;
  assert.equal(clock.waiting, 0);
});

test('a sleep ends at once when its signal aborts, before or during, and leaves nothing behind', async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const slept = sleep(clock, 100, abort.signal);
  abort.abort();
  await slept;
  await sleep(clock, 100, abort.signal);
  assert.equal(clock.waiting, 0);
  const other = new AbortController();
  const undisturbed = sleep(clock, 5, other.signal);
  clock.advance(5);
  await undisturbed;
  assert.equal(getEventListeners(other.signal, 'abort').length, 0);
});

test('timers run in the order of their time, then of their making, at their own moment', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 }),
      fc.array(fc.nat(20), { maxLength: 10 }),
      (delays, steps) => {
        const clock = new ManualClock();
        const ran: [number, number][] = [];
        for (const [index, delay] of delays.entries())
          clock.after(delay, () => {
            assert.equal(clock.monotonic(), delay);
            ran.push([delay, index]);
          });
        for (const step of steps) clock.advance(step);
        const end = steps.reduce((sum, step) => sum + step, 0);
        const due = delays
          .map((delay, index): [number, number] => [delay, index])
          .filter(([delay]) => steps.length > 0 && delay <= end);
        assert.deepEqual(
          ran,
          due.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
        );
        assert.equal(clock.waiting, delays.length - due.length);
      },
    ),
  );
});

test('a timer that sets a timer runs within the same advance; a cancelled one never', () => {
  const clock = new ManualClock();
  const ran: string[] = [];
  clock.after(10, () => {
    ran.push('first');
    clock.after(5, () => ran.push('second'));
    clock.after(15, () => ran.push('too late'));
  });
  const cancel = clock.after(12, () => ran.push('cancelled'));
  clock.after(11, cancel);
  clock.advance(20);
  assert.deepEqual(ran, ['first', 'second']);
  assert.equal(clock.monotonic(), 20);
});

test('the wall clock jumps; the monotonic clock and its timers do not notice', () => {
  const clock = new ManualClock(1000);
  let ran = 0;
  clock.after(10, () => (ran += 1));
  clock.jump(-500);
  assert.equal(clock.now(), 500);
  clock.jump(3_600_000);
  assert.equal(ran, 0);
  assert.equal(clock.monotonic(), 0);
  clock.advance(10);
  assert.equal(ran, 1);
  assert.equal(clock.now(), 1000 - 500 + 3_600_000 + 10);
});
