import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeastUsed } from './least-used.ts';

type Step = readonly ['get' | 'set' | 'delete' | 'limitTo', number];

test('keeps what was asked for last, whatever is done in whatever order', () => {
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom('get', 'get', 'set', 'set', 'delete', 'limitTo'),
    fc.nat(9),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const kept = new LeastUsed<number, string>(4);
      let most = 4;
      let order: number[] = [];
      for (const [at, [kind, key]] of steps.entries()) {
        if (kind === 'limitTo') kept.limitTo((most = key));
        else if (kind === 'set') kept.set(key, `${key} ${at}`);
        else if (kind === 'delete') kept.delete(key);
        else assert.equal(kept.get(key) !== undefined, order.includes(key));
        const known = order.includes(key);
        if (kind === 'set' || kind === 'delete' || (kind === 'get' && known))
          order = order.filter((one) => one !== key);
        if (kind === 'set' || (kind === 'get' && known)) order.push(key);
        order = order.slice(Math.max(0, order.length - most));
        assert.equal(kept.size, order.length);
      }
      assert.deepEqual(
        Array.from({ length: 10 }, (_, key) => key).filter((key) => kept.get(key) !== undefined),
        order.toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 2_000 },
  );
});
