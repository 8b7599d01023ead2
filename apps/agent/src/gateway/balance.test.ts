import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import fc from 'fast-check';
import { chooseReplica } from './balance.ts';

const rng = seededRng('balance');
const draw = (below: number): number => randomBelow(rng, below);
const candidate = fc.record({ inFlight: fc.nat(9), most: fc.integer({ min: 1, max: 9 }), usable: fc.boolean() });

describe('the balancer', () => {
  it('chooses a replica that takes one more exactly when there is one', () => {
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 8 }), (candidates) => {
        const chosen = chooseReplica(candidates, draw);
        const open = candidates.filter(({ usable, inFlight, most }) => usable && inFlight < most);
        return open.length === 0 ? chosen === undefined : chosen !== undefined && open.includes(chosen);
      }),
      { numRuns: 20_000 },
    );
  });

  it('never sends to the busiest of many, and draws two different ones', () => {
    const candidates = [5, 1, 2, 3].map((inFlight) => ({ inFlight, most: 10, usable: true }));
    for (let i = 0; i < 2_000; i += 1) assert.notEqual(chooseReplica(candidates, draw)?.inFlight, 5);
  });

  it('spreads evenly over replicas that are equally busy', () => {
    const candidates = [0, 1, 2, 3].map((name) => ({ name, inFlight: 0, most: 10, usable: true }));
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 8_000; i += 1) {
      const { name } = chooseReplica(candidates, draw) ?? { name: 0 };
      counts[name] = (counts[name] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 1_800 && count < 2_200, String(counts));
  });
});
