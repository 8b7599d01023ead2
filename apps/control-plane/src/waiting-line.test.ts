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

/** Work whose ends the test decides, by the order in which it began. */
function workOf(line: WaitingLine) {
  const begun: string[] = [];
  const ends = new Map<string, (() => void)[]>();
  return {
    begun,
    start: (owner: string): Promise<void> =>
      line.run(() => {
        begun.push(owner);
        return new Promise((resolve) => ends.set(owner, [...(ends.get(owner) ?? []), resolve]));
      }, owner),
    endOne: async (owner: string): Promise<void> => {
      ends.get(owner)?.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('the flood of one owner fills its own places and its own line; another is worked on at once', async () => {
  const each = { atOnce: 4, mostWaiting: 1_250 };
  const { begun, start, endOne } = workOf(
    new WaitingLine(new ManualClock(), { atOnce: 32, longestWaitMs: 20_000, each }),
  );
  const flood = Array.from({ length: 1_254 }, () => start('a'));
  assert.deepEqual(begun, ['a', 'a', 'a', 'a']);
  await assert.rejects(start('a'), { code: 'unavailable', retryAfterS: 13 });
  const other = start('b');
  assert.deepEqual(begun.slice(4), ['b']);
  await endOne('b');
  await other;
  assert.deepEqual(begun.slice(5), [], 'the place of another is not for the flood');
  for (let left = flood.length; left > 0; left -= 1) await endOne('a');
  await Promise.all(flood);
  assert.equal(begun.length, 1_255);
});

test('owners take turns when no place is free, and wait at most for a turn of each other', async () => {
  const { begun, start, endOne } = workOf(
    new WaitingLine(new ManualClock(), { atOnce: 4, longestWaitMs: 100, each: { atOnce: 2, mostWaiting: 9 } }),
  );
  const running = ['a', 'a', 'b', 'b', 'a', 'a', 'a', 'b', 'b', 'c'].map((owner) => start(owner));
  assert.deepEqual(begun, ['a', 'a', 'b', 'b']);
  for (const owner of ['a', 'b', 'a', 'c', 'a', 'b']) await endOne(owner);
  assert.deepEqual(begun.slice(4), ['a', 'b', 'c', 'a', 'a', 'b']);
  for (const owner of ['a', 'a', 'b', 'b']) await endOne(owner);
  await Promise.all(running);
});

test('how long an owner would wait is judged by its own pace while places are free', async () => {
  const clock = new ManualClock();
  const { start, endOne } = workOf(
    new WaitingLine(clock, { atOnce: 3, longestWaitMs: 1_000, each: { atOnce: 1, mostWaiting: 99 } }),
  );
  const slow = Array.from({ length: 62 }, () => start('slow'));
  for (let turn = 0; turn < 40; turn += 1) {
    clock.advance(100);
    await endOne('slow');
    const quick = start('quick');
    await endOne('quick');
    await quick;
  }
  await assert.rejects(start('slow'), { code: 'unavailable', retryAfterS: 2 });
  const quick = [start('quick'), start('quick')];
  for (const _ of quick) await endOne('quick');
  for (let left = 22; left > 0; left -= 1) await endOne('slow');
  await Promise.all([...slow, ...quick]);
});
