import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldQueue, type Held } from './hold-queue.ts';

const held = (until: number, caller = 'a'): Held => ({ until, caller });

describe('held requests', () => {
  it('are let go oldest first, and no more of a lone caller are held than there are places', () => {
    const queue = new HoldQueue<Held>(2);
    const [a, b, c] = [held(10), held(11), held(12)];
    assert.deepEqual(
      [a, b, c].map((request) => queue.hold(request).held),
      [true, true, false],
    );
    assert.equal(queue.next(), a);
    assert.ok(queue.hold(c).held);
    assert.deepEqual([queue.next(), queue.next(), queue.next()], [b, c, undefined]);
  });

  it('end when they have waited long enough, and not when their caller left before', () => {
    const queue = new HoldQueue<Held>(9);
    const [a, b, c] = [held(10), held(10, 'b'), held(20)];
    for (const request of [a, b, c]) queue.hold(request);
    assert.equal(queue.nextExpiry, 10);
    assert.deepEqual(queue.expire(9), []);
    assert.ok(queue.leave(a));
    assert.ok(!queue.leave(a));
    assert.deepEqual(queue.expire(10), [b]);
    assert.deepEqual([queue.size, queue.nextExpiry], [1, 20]);
  });

  it('of one caller who fills the queue keep no other out, and do not go before theirs', () => {
    const queue = new HoldQueue<Held>(256);
    const many = Array.from({ length: 300 }, () => held(60, 'greedy'));
    const taken = many.filter((request) => queue.hold(request).held);
    assert.equal(taken.length, 256);
    const [one, two] = [held(61, 'other'), held(62, 'other')];
    assert.deepEqual(queue.hold(one), { held: true, displaced: taken.at(-1) });
    assert.deepEqual(queue.hold(two), { held: true, displaced: taken.at(-2) });
    assert.equal(queue.size, 256);
    assert.deepEqual([queue.next(), queue.next(), queue.next(), queue.next()], [taken[0], one, taken[1], two]);
  });

  it('share the places, whoever comes and goes', () => {
    const step = fc.record({ caller: fc.constantFrom('a', 'b', 'c', 'd'), what: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 80 }), (most, steps) => {
        const queue = new HoldQueue<Held>(most);
        const model: Held[] = [];
        const of = (caller: string) => model.filter((request) => request.caller === caller);
        const drop = (request: Held) => model.splice(model.indexOf(request), 1);
        for (const { caller, what } of steps) {
          if (what < 7) {
            const before = of(caller).length;
            const request = held(1, caller);
            const holding = queue.hold(request);
            const largest = Math.max(0, ...model.map((other) => of(other.caller).length));
            if (!holding.held) assert.ok(model.length === most && largest <= before + 1, 'refused below a fair share');
            else if (holding.displaced !== undefined) {
              const from = of(holding.displaced.caller);
              assert.ok(model.length === most && from.length === largest && largest >= before + 2);
              assert.equal(holding.displaced, from.at(-1), 'the newest gives way');
              drop(holding.displaced);
            }
            if (holding.held) model.push(request);
          } else if (what < 9) {
            const next = queue.next();
            assert.equal(next === undefined, model.length === 0);
            if (next === undefined) continue;
            assert.equal(next, of(next.caller)[0], 'the oldest of its caller');
            drop(next);
          } else {
            const [mine] = of(caller);
            if (mine !== undefined) assert.ok(queue.leave(drop(mine)[0] ?? mine));
          }
          assert.ok(queue.size === model.length && model.length <= most);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
