import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import fc from 'fast-check';
import {
  chooseSlots,
  decideScale,
  DOWN_AFTER_MS,
  firstMemory,
  NO_LOAD,
  ZERO_AFTER_MS,
  type Load,
  type ScaleQuestion,
} from './autoscaler.ts';

const service = (min: number, max: number, target = 10): ScaleQuestion['service'] => ({
  replicas: { min, max },
  scaling: { metric: 'concurrency', target },
});
const calls = (inFlight: number): Load => ({ ...NO_LOAD, inFlight });

/** The numbers of replicas over a sequence of loads, one each second. */
function run(
  loads: readonly Load[],
  of: { service: ScaleQuestion['service']; slots: number; start?: number; stepMs?: number },
): number[] {
  let wanted = of.start ?? of.service.replicas.min;
  let now = 1_000_000;
  let memory = firstMemory(now);
  return loads.map((load) => {
    now += of.stepMs ?? 1_000;
    const decided = decideScale({ service: of.service, manual: null, load, wanted, slots: of.slots }, memory, now);
    ({ wanted, memory } = decided);
    return wanted;
  });
}

const aLoad = fc.record({
  inFlight: fc.nat(200),
  held: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  requestsPerSecond: fc.nat(500),
});
/** Loads that stay for a while, as callers do; a plain list of random ones would never be quiet for a minute. */
const aHistory = fc
  .array(fc.record({ load: fc.oneof(aLoad, fc.constant(NO_LOAD)), seconds: fc.integer({ min: 1, max: 120 }) }), {
    minLength: 1,
    maxLength: 12,
    size: 'max',
  })
  .map((parts) => parts.flatMap(({ load, seconds }) => Array.from({ length: seconds }, () => load)));
const aService = fc
  .record({
    min: fc.nat(4),
    more: fc.nat(8),
    target: fc.integer({ min: 1, max: 50 }),
    metric: fc.constantFrom('concurrency' as const, 'requests-per-second' as const),
  })
  .map(({ min, more, target, metric }): ScaleQuestion['service'] => ({
    replicas: { min, max: Math.max(1, min + more) },
    scaling: { metric, target },
  }));

test('never below the least, never above the most or the slots', () => {
  fc.assert(
    fc.property(aHistory, aService, fc.integer({ min: 1, max: 20 }), (loads, of, slots) => {
      const { min, max } = of.replicas;
      for (const wanted of run(loads, { service: of, slots, start: Math.min(min, slots) })) {
        assert.ok(wanted >= Math.min(min, slots));
        assert.ok(wanted <= Math.min(max, slots));
      }
    }),
  );
});

test('enough for the load at once, as far as the bounds go', () => {
  fc.assert(
    fc.property(aHistory, aService, (loads, of) => {
      const { max } = of.replicas;
      for (const [at, wanted] of run(loads, { service: of, slots: 100 }).entries()) {
        const load = loads[at] ?? NO_LOAD;
        const { metric = 'concurrency', target = 1 } = of.scaling ?? {};
        const measured = metric === 'concurrency' ? load.inFlight + load.held : load.requestsPerSecond;
        assert.ok(wanted >= Math.min(max, Math.ceil(measured / target)));
        if (load.held > 0) assert.ok(wanted >= 1);
      }
    }),
  );
});

test('never down within a minute of a load that needed as many: nothing flaps', () => {
  fc.assert(
    fc.property(aHistory, aService, (loads, of) => {
      const wanted = run(loads, { service: of, slots: 100 });
      for (let at = 1; at < wanted.length; at += 1) {
        const [before = 0, after = 0] = [wanted[at - 1], wanted[at]];
        if (after >= before) continue;
        const window = wanted.slice(Math.max(0, at - DOWN_AFTER_MS / 1_000), at);
        assert.ok(
          window.length >= DOWN_AFTER_MS / 1_000 && window.every((count) => count === before),
          `down at ${at}, ${window.join()}`,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('down to the highest wish of the minute, not to the last one', () => {
  const loads = [
    calls(50),
    ...Array.from({ length: 30 }, () => calls(5)),
    ...Array.from({ length: 40 }, () => calls(25)),
  ];
  const wanted = run([...loads, ...Array.from({ length: 10 }, () => calls(5))], { service: service(0, 10), slots: 10 });
  assert.equal(wanted[0], 5);
  assert.equal(wanted[60], 5, 'a minute of a lower wish is not over');
  assert.equal(wanted[61], 3);
  assert.equal(wanted.at(-1), 3);
});

test('to none only after five minutes without a call, and at once from none when somebody is held', () => {
  const quiet = Array.from({ length: 400 }, () => NO_LOAD);
  const wanted = run([calls(30), ...quiet], { service: service(0, 4), slots: 4 });
  const firstOne = wanted.indexOf(1);
  const firstNone = wanted.indexOf(0);
  assert.equal(wanted[0], 3);
  assert.equal(firstOne, DOWN_AFTER_MS / 1_000 + 1);
  assert.equal(firstNone, ZERO_AFTER_MS / 1_000);
  assert.deepEqual(run([{ ...NO_LOAD, held: 1 }], { service: service(0, 4), slots: 4, start: 0 }), [1]);
  const busy = Array.from({ length: 400 }, (_, at) => (at % 200 === 0 ? calls(1) : NO_LOAD));
  assert.ok(!run(busy, { service: service(0, 4), slots: 4, start: 1 }).includes(0), 'one call every 200 s keeps one');
});

test('what a person asked for holds, whatever the load', () => {
  const question = { service: service(0, 4), manual: 2, load: calls(1_000), wanted: 0, slots: 4 };
  assert.equal(decideScale(question, firstMemory(0), 1).wanted, 2);
  assert.equal(decideScale({ ...question, manual: 0, wanted: 4 }, firstMemory(0), 1).wanted, 0);
  assert.equal(decideScale({ ...question, manual: 9 }, firstMemory(0), 1).wanted, 4, 'there are no more slots');
});

test('slots: as many as asked for, what runs first, what is out of reach last', () => {
  const rng = seededRng('slots');
  const aSlot = fc.record({ wanted: fc.boolean(), ready: fc.boolean(), reachable: fc.boolean() });
  fc.assert(
    fc.property(fc.array(aSlot, { maxLength: 12 }), fc.nat(14), (healths, count) => {
      const slots = healths.map((health, slot) => ({ job: newId('job', rng), slot, ...health }));
      const chosen = chooseSlots(slots, count);
      assert.equal(chosen.size, Math.min(count, slots.length));
      const left = slots.filter(({ job }) => !chosen.has(job));
      for (const slot of slots.filter(({ job }) => chosen.has(job))) {
        if (!slot.reachable) assert.ok(left.every(({ reachable }) => !reachable));
        if (!slot.wanted) assert.ok(left.every(({ wanted, reachable }) => !wanted || (!reachable && slot.reachable)));
      }
      assert.deepEqual(
        chooseSlots(
          slots.map((slot) => ({ ...slot, wanted: chosen.has(slot.job) })),
          count,
        ),
        chosen,
        'a choice stands',
      );
    }),
  );
});
