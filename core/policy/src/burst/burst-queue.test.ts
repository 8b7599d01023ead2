import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { SENSITIVITIES, TIERS } from '@ringfence/protocol';
import fc from 'fast-check';
import { HOUR, JOBS, OFFERS, START, TERMS, placement } from './burst.fixture.ts';
import { EMPTY_LEDGER } from './budget-ledger.ts';
import { AT_HOME } from './burst-state.ts';
import { costReport } from './cost-report.ts';
import { gateRequest } from './gate-request.ts';
import { burstTiers } from './may-burst.ts';
import { predictedWaits, type HomeMachine, type QueuedJob } from './predicted-wait.ts';
import { pressureOf, type WaitingJob } from './pressure.ts';

const label = (sensitivity: (typeof SENSITIVITIES)[number]) => ({ sensitivity, residency: [] });
const take = (cpus: number) => ({ cpuMilli: cpus * 1_000, memoryBytes: 1e9, diskBytes: 0 });
const [one, two] = OFFERS as [(typeof OFFERS)[0], (typeof OFFERS)[0]];

function machine(offer: typeof one, freeCpus: number, running: readonly [number, number][] = []): HomeMachine {
  return {
    offer,
    free: { ...take(freeCpus), memoryBytes: 1e12, gpus: [] },
    running: running.map(([cpus, hours]) => ({ take: take(cpus), endsBy: epochMs(START + hours * HOUR) })),
  };
}

function queued(index: number, cpus: number, machines = [one, two], expectedMs = HOUR): QueuedJob {
  const resources = { ...placement().resources, cpuMilli: cpus * 1_000 };
  const [job] = JOBS.slice(index) as [(typeof JOBS)[0]];
  return { job, placement: placement({ resources }), machines, expectedMs };
}

/** In hours, in the order of the queue. */
function hours(machines: readonly HomeMachine[], queue: readonly QueuedJob[]): number[] {
  const waits = predictedWaits(machines, queue, START);
  return queue.map(({ job }) => (waits.get(job) ?? -1) / HOUR);
}

test('a job waits until enough ends on the machine that is ready first, and those after it wait for it', () => {
  assert.deepEqual(
    hours([machine(one, 2), machine(two, 0, [[2, 3]])], [queued(0, 2), queued(1, 2), queued(2, 2)]),
    [0, 1, 2],
  );
  assert.deepEqual(hours([machine(one, 1, [[1, 2]]), machine(two, 0, [[4, 5]])], [queued(0, 2), queued(1, 4)]), [2, 5]);
  assert.deepEqual(
    hours([machine(one, 1, [[1, 2]])], [queued(0, 2), queued(1, 1)]),
    [2, 3],
    'none goes before its turn',
  );
  assert.deepEqual(
    hours([machine(one, 1)], [queued(0, 9), queued(1, 1)]),
    [Infinity, 0],
    'who never fits holds nobody up',
  );
  assert.deepEqual(hours([machine(one, 1)], [queued(0, 1, []), queued(1, 1)]), [Infinity, 0]);
  assert.deepEqual(
    hours([machine(one, 1)], [queued(0, 1, [one], 9 * HOUR), queued(1, 1)]),
    [0, 1],
    'no longer than its longest run',
  );
  assert.deepEqual(hours([machine(one, 0, [[1, -3]])], [queued(0, 1)]), [0], 'what is overdue may end now');
});

test('with one machine and jobs of all of it, waits are the sums of the runs before', () => {
  const runs = fc.array(fc.integer({ min: 1, max: HOUR }), { maxLength: 20 });
  fc.assert(
    fc.property(runs, (lengths) => {
      const queue = lengths.map((length, index) => queued(index, 3, [one], length));
      const waits = predictedWaits([machine(one, 3)], queue, START);
      let sum = 0;
      for (const { job, expectedMs } of queue) {
        assert.equal(waits.get(job), sum);
        sum += expectedMs;
      }
    }),
  );
});

test('only jobs that may leave, wait too long or will be late make it high; none of them waiting is low', () => {
  const look = (...waiting: Partial<WaitingJob>[]) =>
    pressureOf(
      {
        now: START,
        waiting: waiting.map((job) => ({ predictedWaitMs: 0, expectedMs: HOUR, mayBurst: true, ...job })),
      },
      TERMS,
    );
  assert.equal(look(), 'low');
  assert.equal(look({ predictedWaitMs: 60_000 }), 'between');
  assert.equal(look({ predictedWaitMs: 60_001 }), 'high');
  assert.equal(look({ predictedWaitMs: 60_001, mayBurst: false }), 'low');
  assert.equal(look({ predictedWaitMs: 29_999 }, { predictedWaitMs: 30_000 }), 'between');
  assert.equal(look({ predictedWaitMs: Infinity }), 'high');
  assert.equal(look({ predictedWaitMs: 9, deadline: epochMs(START + HOUR + 9) }), 'low');
  assert.equal(look({ predictedWaitMs: 10, deadline: epochMs(START + HOUR + 9) }), 'high');
});

test('who may burst is said by placement and label together', () => {
  assert.deepEqual(burstTiers(placement(), label('public')), ['secure-cloud', 'community-cloud']);
  assert.deepEqual(burstTiers(placement(), label('internal')), ['secure-cloud']);
  assert.deepEqual(burstTiers(placement(), label('restricted')), []);
  assert.deepEqual(burstTiers(placement({ burst: 'never' }), label('public')), []);
  assert.deepEqual(burstTiers(placement({ tiers: ['private'] }), label('public')), []);
  assert.deepEqual(
    burstTiers(placement({ tiers: ['secure-cloud'] }), label('public')),
    [],
    'it has no home to burst from',
  );
});

test('a gated request never names a tier that the request did not, never raises a limit, and leaves label and all else alone', () => {
  const requests = fc.record({
    gate: fc.constantFrom('open' as const, 'closed' as const),
    away: fc.integer({ min: 0, max: 4 }),
    spent: fc.integer({ min: 0, max: 11_000_000 }),
    sensitivity: fc.constantFrom(...SENSITIVITIES),
    burst: fc.constantFrom('allowed' as const, 'never' as const),
    tiers: fc.subarray([...TIERS], { minLength: 1 }),
    onPartition: fc.constantFrom('stop' as const, 'stop' as const, 'keep' as const),
    maxPrice: fc.option(fc.record({ microUnits: fc.nat(20_000_000), currency: fc.constantFrom('EUR', 'USD') })),
  });
  let opened = 0;
  fc.assert(
    fc.property(requests, ({ gate, away, spent, sensitivity, burst, tiers, onPartition, maxPrice }) => {
      const asked = placement({ tiers, burst, onPartition, ...(maxPrice === null ? {} : { maxPrice }) });
      const ledger = { ...EMPTY_LEDGER, period: Math.floor(START / TERMS.budget.periodMs), spent };
      const attempts = Array.from({ length: away }, (_, attempt) => attempt);
      const state = { ...AT_HOME, gate, ledger, away: attempts.map((attempt) => awayAttempt(attempt)) };
      const request = { placement: asked, label: label(sensitivity), now: START };
      const { request: gated, refusals } = gateRequest(state, TERMS, request);
      const leaves = gated?.placement.tiers.some((tier) => tier !== 'private') ?? false;
      if (refusals.length > 0) assert.equal(leaves, false);
      if (gated === undefined) return assert.equal(tiers.includes('private'), false);
      if (sensitivity === 'restricted' || (tiers.includes('private') && gate === 'closed')) assert.equal(leaves, false);
      if (onPartition === 'keep') assert.equal(leaves, false);
      if (away >= TERMS.mostAtOnce || spent >= 10_000_000) assert.equal(leaves, false);
      assert.ok(gated.placement.tiers.every((tier) => asked.tiers.includes(tier)));
      const { tiers: _tiers, maxPrice: limit, ...rest } = gated.placement;
      const { tiers: _asked, maxPrice: before, ...restBefore } = asked;
      assert.deepEqual(rest, restBefore);
      assert.equal(gated.label, request.label);
      if (leaves) {
        opened += 1;
        assert.ok(limit !== undefined && limit.currency === 'EUR');
        assert.ok(limit.microUnits <= Math.min(10_000_000 - spent, before?.microUnits ?? Infinity));
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(opened > 100, `${opened} may leave`);
});

function awayAttempt(attempt: number) {
  const [job] = JOBS as [(typeof JOBS)[0]];
  return { job, attempt, offer: one, since: START, movable: false, moving: false };
}

test('the cost report compares with all away and with as many machines more at home', () => {
  const at = (from: number, to: number) => ({ startedAt: START + from * HOUR, endedAt: START + to * HOUR });
  const runs = [
    { ...at(0, 2), marketHour: 3_000_000 },
    { ...at(0, 4) },
    { ...at(1, 2), awayHour: 2_000_000 },
    { ...at(2, 3), awayHour: 2_000_000 },
    { ...at(-5, -1), awayHour: 9_000_000 },
  ];
  const report = costReport(runs, { machines: 2, machineHour: 1_000_000 }, { from: START, until: START + 10 * HOUR });
  assert.equal(report.spent, 4_000_000);
  assert.equal(report.mostAwayAtOnce, 1, 'one ended as the other began');
  assert.equal(report.hybrid, 24_000_000);
  assert.equal(report.allPrivate, 30_000_000);
  assert.equal(report.allMarketplace, 14_000_000);
  assert.equal(report.savedAgainstAllPrivate, 6_000_000);
  assert.equal(report.savedAgainstAllMarketplace, -10_000_000, 'home that stands idle is dear');
  assert.equal(report.couldNotLeave, 1);
});
