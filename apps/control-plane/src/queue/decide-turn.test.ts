import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AT_HOME } from '@ringfence/policy/burst';
import type { PlacementPart } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import type { TurnOutcome } from './decide-turn.ts';
import { decide, TERMS, turns, type Turn } from './turn.fixture.ts';

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

/** Jobs for which no machine is large enough, on machines where all that runs may be told to stop. */
function tooLarge(units: number, minutes: (unit: number) => number): Turn {
  const run = { cpus: 2, minutes: 60, priority: 0, preemptible: true };
  return {
    homes: Array.from({ length: 3 }, () => ({ cpus: 6, running: [run, run, run] })),
    units: Array.from({ length: units }, (_, unit) => {
      return { members: 1, missing: 0, cpus: 9, minutes: minutes(unit), priority: 50 };
    }),
  };
}

test('each machine is asked once about jobs that ask for the same', async () => {
  const { asked, outcome } = await decide(
    tooLarge(256, () => 60),
    ['private'],
  );
  assert.deepEqual([outcome.decided.length, asked], [256, 3]);
  // Who may make others stop asks by himself; room is kept for the first 16 alone.
  const urgent = tooLarge(256, (unit) => unit + 1);
  const homes = urgent.homes.map(({ cpus, running }) => ({
    cpus,
    running: running.map((run) => ({ ...run, preemptible: false })),
  }));
  assert.equal((await decide({ ...urgent, homes }, ['private'])).asked, 16 * 3);
  assert.equal((await decide(urgent, ['private'])).asked, 256 * 3);
});
