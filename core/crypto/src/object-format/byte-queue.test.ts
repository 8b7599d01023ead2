import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from './byte-queue.ts';

test('what goes in comes out in order, at any cut', () => {
  const steps = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.nat(60)), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (script) => {
      const queue = new ByteQueue();
      const pushed: number[] = [];
      const taken: number[] = [];
      for (const step of script) {
        if (typeof step !== 'number') {
          queue.push(step);
          pushed.push(...step);
        } else if (step <= queue.length) {
          const pieces = queue.take(step);
          assert.equal(
            pieces.reduce((sum, piece) => sum + piece.length, 0),
            step,
          );
          for (const piece of pieces) taken.push(...piece);
        } else assert.throws(() => queue.take(step), RangeError);
        assert.equal(queue.length, pushed.length - taken.length);
      }
      assert.deepEqual(taken, pushed.slice(0, taken.length));
    }),
  );
});
