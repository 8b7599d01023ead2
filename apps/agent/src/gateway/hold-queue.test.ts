import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldQueue } from './hold-queue.ts';

const held = (until: number) => ({ until });

describe('held requests', () => {
  it('are let go oldest first, and no more are held than there are places', () => {
    const queue = new HoldQueue<{ until: number }>(2);
    const [a, b, c] = [held(10), held(11), held(12)];
    assert.deepEqual([queue.hold(a), queue.hold(b), queue.hold(c)], [true, true, false]);
    assert.equal(queue.next(), a);
    assert.ok(queue.hold(c));
    assert.deepEqual([queue.next(), queue.next(), queue.next()], [b, c, undefined]);
  });

  it('end when they have waited long enough, and not when their caller left before', () => {
    const queue = new HoldQueue<{ until: number }>(9);
    const [a, b, c] = [held(10), held(10), held(20)];
    for (const request of [a, b, c]) queue.hold(request);
    assert.equal(queue.nextExpiry, 10);
    assert.deepEqual(queue.expire(9), []);
    assert.ok(queue.leave(a));
    assert.ok(!queue.leave(a));
    assert.deepEqual(queue.expire(10), [b]);
    assert.deepEqual([queue.size, queue.nextExpiry], [1, 20]);
  });
});
