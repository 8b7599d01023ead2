import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FailureCounts } from './failure-counts.ts';

test('counts as a map would, with as many masks as there may be', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 21 - 1 }), fc.integer({ min: -3, max: 3 })), {
    maxLength: 600,
  });
  fc.assert(
    fc.property(changes, fc.boolean(), (list, few) => {
      const counts = new FailureCounts();
      const expected = new Map<number, number>();
      for (const [wide, count] of list) {
        const mask = few ? wide % 50 : wide;
        counts.add(mask, count);
        expected.set(mask, (expected.get(mask) ?? 0) + count);
      }
      for (const [mask, count] of expected) assert.equal(counts.of(mask), count);
      const listed = new Map<number, number>();
      for (let place = 0; place < counts.length; place += 1) listed.set(counts.maskAt(place), counts.countAt(place));
      assert.equal(listed.size, counts.length);
      for (const [mask, count] of expected) assert.equal(listed.get(mask) ?? 0, count);
      counts.clear();
      assert.equal(counts.of(list[0]?.[0] ?? 0), 0);
    }),
    { numRuns: 300 },
  );
});
