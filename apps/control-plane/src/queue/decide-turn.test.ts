import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AT_HOME } from '@ringfence/policy/burst';
import type { PlacementPart } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import type { TurnOutcome } from './decide-turn.ts';
import { decide, TERMS, turns } from './turn.fixture.ts';

const RUNS = 200;

/** Who got what, who waits for what, and who stops for whom. */
function toldOf({ decided, nominees }: TurnOutcome) {
  const told = decided.map(({ job, placement: { decision }, waitsFor }) => {
    return [job.job, decision.allow ? decision.chosen.offer : waitsFor];
  });
  return { told, nominees };
}

const mayLeave: PlacementPart['tiers'] = ['private', 'secure-cloud'];

test('while the gate is closed, who may leave home is decided about as who may not', async () => {
  await fc.assert(
    fc.asyncProperty(turns, async (turn) => {
      const [gated, home] = [await decide(turn, mayLeave, AT_HOME), await decide(turn, ['private'])];
      assert.deepEqual(toldOf(gated.outcome), toldOf(home.outcome));
    }),
    { numRuns: RUNS },
  );
});

test('a gang gets room for all of it or none, and what it gives back holds no money', async () => {
  let leaves = 0;
  await fc.assert(
    fc.asyncProperty(turns, async (turn) => {
      const { outcome, gate } = await decide(turn, mayLeave, { ...AT_HOME, gate: 'open' });
      const away = outcome.decided.filter(({ job, placement: { decision } }) => {
        const isAway = decision.allow && decision.chosen.tier !== 'private';
        assert.equal(gate.reservationOf(job) !== undefined, isAway);
        return isAway;
      });
      leaves += away.length;
      assert.ok(away.length <= TERMS.mostAtOnce);
      const held = away.reduce((sum, { job }) => sum + (gate.reservationOf(job)?.microUnits ?? 0), 0);
      assert.ok(held <= TERMS.budget.microUnits);
      for (const [gang, members] of Map.groupBy(outcome.decided, ({ job }) => job.gang)) {
        const started = members.filter(({ placement: { decision } }) => decision.allow).length;
        const size = members[0]?.job.placement.gang?.size;
        if (gang !== null) assert.ok(started === 0 || started === size, `${started} of ${size}`);
      }
    }),
    { numRuns: RUNS },
  );
  assert.ok(leaves > RUNS / 10);
});
