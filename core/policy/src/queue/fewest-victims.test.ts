import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { takeOf, withBack } from '../placement/take.ts';
import { fewestVictims, victimLooks, type PreemptableMachine } from './fewest-victims.ts';
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

const KIND = { model: 'card', memoryBytes: 1e9 };

/** A machine of so many cards, all of which jobs of one CPU and so many cards hold. */
function machineOfCards(
  index: number,
  held: readonly { readonly cards: number; readonly milli: number }[],
): PreemptableMachine {
  const total = held.reduce((sum, { cards }) => sum + cards, 0);
  const order = Array.from({ length: total }, (_, card) => card);
  const { free } = machine(at(OFFERS, index), 0);
  return {
    offer: at(OFFERS, index),
    free: { ...free, gpus: [{ ...KIND, cards: held.flatMap(({ cards, milli }) => Array(cards).fill(1_000 - milli)) }] },
    victims: held.map(({ cards, milli }, nth) => ({
      job: at(JOBS, index * 20 + nth),
      priority: nth % 3,
      take: { ...takeOfSize(1), gpus: { ...KIND, cards: order.splice(0, cards), milli } },
    })),
  };
}

function wanting(count: number, model = KIND.model) {
  const placement = sized(1);
  const gpus = { model, count, memoryBytes: KIND.memoryBytes };
  return { priority: 5, placement: { ...placement, resources: { ...placement.resources, gpus } } };
}

test('no set of jobs is looked at for cards that no machine could have free', () => {
  const machines = [0, 1, 2].map((index) => machineOfCards(index, Array(20).fill({ cards: 1, milli: 1_000 })));
  for (const job of [wanting(1, 'another'), wanting(9)]) {
    const looks = victimLooks();
    const { left } = looks;
    assert.equal(fewestVictims(job, machines, looks), undefined);
    assert.equal(looks.left, left);
  }
});

test('what may be looked at is shared by those who ask', () => {
  const machines = [machineOfCards(0, Array(20).fill({ cards: 1, milli: 1_000 }))];
  const looks = { left: 25 };
  assert.equal(fewestVictims(wanting(1), machines, looks)?.victims.length, 1);
  assert.equal(looks.left, 5);
  fewestVictims(wanting(2), machines, looks);
  assert.equal(looks.left, 0);
  assert.equal(fewestVictims(wanting(1), machines, looks), undefined);
});

test('the fewest stop for cards, whole and shares, as trying every set finds', () => {
  let found = 0;
  const held = fc.array(fc.record({ cards: fc.integer({ min: 1, max: 2 }), milli: fc.constantFrom(300, 600, 1_000) }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(
      fc.array(held, { maxLength: 3 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(undefined, 200, 500, 900),
      (fleet, count, gpuMilli) => {
        const job = {
          ...wanting(gpuMilli === undefined ? count : 1),
          wishes: gpuMilli === undefined ? {} : { gpuMilli },
        };
        const machines = fleet.map((one, index) => machineOfCards(index, one));
        const chosen = fewestVictims(job, machines)?.victims.length;
        const fewest = machines.flatMap(({ free, victims }) =>
          Array.from({ length: 2 ** victims.length - 1 }, (_, mask) => mask + 1).flatMap((mask) => {
            const set = victims.filter((_, index) => ((mask >> index) & 1) === 1);
            const room = set.reduce((sum, { take }) => withBack(sum, take) ?? assert.fail('it was taken'), free);
            return takeOf(room, job.placement, job.wishes) === undefined ? [] : [set.length];
          }),
        );
        assert.equal(chosen, fewest.length === 0 ? undefined : Math.min(...fewest));
        if (chosen !== undefined) found += 1;
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(found > 200, String(found));
});
