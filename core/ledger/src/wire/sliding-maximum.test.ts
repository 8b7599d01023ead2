import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SlidingMaximum } from './sliding-maximum.ts';

test('the largest sum in any window, as trying every window finds it', () => {
  const amounts = fc.array(fc.record({ at: fc.nat({ max: 500 }), amount: fc.integer({ min: 1, max: 9 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(amounts, (list) => {
      const sliding = new SlidingMaximum(60);
      for (const { at, amount } of list) sliding.add(at, amount);
      const within = (start: number): number =>
        list.filter(({ at }) => at >= start && at < start + 60).reduce((sum, { amount }) => sum + amount, 0);
      assert.equal(sliding.maximum(), Math.max(0, ...Array.from({ length: 501 }, (_, start) => within(start))));
      assert.equal(
        sliding.total(),
        list.reduce((sum, { amount }) => sum + amount, 0),
      );
    }),
  );
});
