import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { ConnectionQueue } from './connection-queue.ts';

test('calls wait in order for so many connections, and none for ever', async () => {
  const clock = new ManualClock();
  const queue = new ConnectionQueue({ most: 2, withinMs: 1_000, clock });
  const order: number[] = [];
  const enter = (index: number): Promise<void> => queue.enter().then(() => void order.push(index));
  await Promise.all([enter(0), enter(1)]);
  const [second, third] = [enter(2), assert.rejects(enter(3), { code: 'unavailable' })];
  assert.equal(queue.waiting, 2);
  queue.leave();
  await second;
  clock.advance(1_000);
  await third;
  assert.deepEqual([order, queue.waiting], [[0, 1, 2], 0]);
  queue.leave();
  queue.leave();
  await Promise.all([enter(4), enter(5)]);
  assert.deepEqual(order, [0, 1, 2, 4, 5]);
});
