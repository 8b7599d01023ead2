import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { WaitingLine } from './waiting-line.ts';

test('work waits in order, so much at once; what would wait too long is told when to come again', async () => {
  const clock = new ManualClock();
  const line = new WaitingLine(clock, { atOnce: 2, longestWaitMs: 1_000 });
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const work = (index: number): Promise<void> =>
    line.run(() => {
      order.push(index);
      return new Promise((resolve) => ends.push(resolve));
    });
  const endOne = async (): Promise<void> => {
    clock.advance(100);
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const running = Array.from({ length: 103 }, (_, index) => work(index));
  assert.deepEqual(order, [0, 1]);
  // 101 wait for 10 ms each, as long as nothing was measured.
  await assert.rejects(work(103), { code: 'unavailable', retryAfterS: 2 });
  for (let left = 0; left < 60; left += 1) await endOne();
  // 41 wait, and each takes some 100 ms by now.
  await assert.rejects(work(104), { code: 'unavailable' });
  while (ends.length > 0) await endOne();
  await Promise.all(running);
  assert.deepEqual(order, [...running.keys()]);
  await assert.rejects(
    line.run(() => Promise.reject(new RangeError('fails'))),
    RangeError,
  );
  const again = work(105);
  assert.equal(order.at(-1), 105, 'who fails gives its place back');
  await endOne();
  await again;
});
