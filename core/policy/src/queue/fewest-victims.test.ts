import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { takeOf, withBack } from '../placement/take.ts';
import { fewestVictims, type PreemptableMachine } from './fewest-victims.ts';
import { at, JOBS, machine, OFFERS, sized, takeOfSize } from './queue.fixture.ts';

const running = fc.array(
  fc.record({
    cpus: fc.integer({ min: 1, max: 4 }),
    gigabytes: fc.integer({ min: 1, max: 4 }),
    priority: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 6 },
);
const fleets = fc.array(
  fc.record({ free: fc.integer({ min: 0, max: 3 }), memory: fc.integer({ min: 0, max: 3 }), running }),
  { maxLength: 3 },
);

function machinesOf(
  fleet: readonly { free: number; memory: number; running: { cpus: number; gigabytes: number; priority: number }[] }[],
): PreemptableMachine[] {
  let next = 0;
  return fleet.map(({ free, memory, running: jobs }, index) => ({
    offer: at(OFFERS, index),
    free: { ...machine(at(OFFERS, index), free).free, memoryBytes: memory * 1e9 },
    victims: jobs.map(({ cpus, gigabytes, priority }) => {
      next += 1;
      return { job: at(JOBS, next), priority, take: takeOfSize(cpus, gigabytes) };
    }),
  }));
}

/** Every set of victims of every machine: the best by (how many, highest priority, sum), as plain numbers. */
function bruteForce(
  need: ReturnType<typeof sized>,
  priority: number,
  machines: readonly PreemptableMachine[],
): number[] | undefined {
  let best: number[] | undefined;
  for (const { free, victims } of machines) {
    for (let mask = 1; mask < 2 ** victims.length; mask += 1) {
      const set = victims.filter((_, index) => ((mask >> index) & 1) === 1);
      const room = set.reduce((sum, { take }) => withBack(sum, take) ?? sum, free);
      if (set.some((victim) => victim.priority >= priority) || takeOf(room, need, {}) === undefined) continue;
      const rank = rankOf(set.map((victim) => victim.priority));
      if (best === undefined || compare(rank, best) < 0) best = rank;
    }
  }
  return best;
}

const rankOf = (priorities: readonly number[]): number[] => [
  priorities.length,
  Math.max(...priorities),
  priorities.reduce((a, b) => a + b, 0),
];
const compare = (a: readonly number[], b: readonly number[]): number =>
  at(a, 0) - at(b, 0) || at(a, 1) - at(b, 1) || at(a, 2) - at(b, 2);

test('the fewest and least important jobs stop, as trying every set finds', () => {
  let found = 0;
  fc.assert(
    fc.property(
      fleets,
      fc.integer({ min: 4, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 7 }),
      (fleet, cpus, gigabytes, priority) => {
        const machines = machinesOf(fleet);
        const placement = sized(cpus, 60, gigabytes);
        const chosen = fewestVictims({ priority, placement }, machines);
        const all = machines.flatMap(({ victims }) => victims);
        const ranks = chosen?.victims.map((job) => all.find((victim) => victim.job === job)?.priority ?? NaN);
        assert.deepEqual(
          ranks === undefined ? undefined : rankOf(ranks),
          bruteForce(
            placement,
            priority,
            machines.filter(({ free }) => takeOf(free, placement, {}) === undefined),
          ),
        );
        assert.ok(ranks?.every((rank) => rank < priority) ?? true, 'never of equal or higher priority');
        if (chosen !== undefined) found += 1;
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(found > 200, String(found));
});

test('with many that run it stops looking', () => {
  const victims = Array.from({ length: 60 }, (_, index) => ({
    job: at(JOBS, index),
    priority: 0,
    take: takeOfSize(1),
  }));
  const one = { offer: at(OFFERS, 0), free: machine(at(OFFERS, 0), 0).free, victims };
  assert.equal(fewestVictims({ priority: 1, placement: sized(8) }, [one])?.victims.length, 8);
  assert.equal(
    fewestVictims({ priority: 1, placement: sized(9) }, [one]),
    undefined,
    'more than eight are not stopped for one',
  );
});
