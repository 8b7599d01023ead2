import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { HOUR, JOBS, OFFERS, START, TERMS } from './burst.fixture.ts';
import { reservedIn } from './budget-ledger.ts';
import { AT_HOME, BURST_SIGNATURES, type BurstCommand, type BurstEvent, type BurstState } from './burst-state.ts';
import { DELETION_WAIT_MS, stepBurst } from './step-burst.ts';
import type { Pressure } from './pressure.ts';

const [job, other] = JOBS as [(typeof JOBS)[0], (typeof JOBS)[0]];
const [offer] = OFFERS as [(typeof OFFERS)[0]];
const at = (ms: number) => epochMs(START + ms);

/** Takes events in turn and keeps what they commanded. */
class Course {
  state: BurstState = AT_HOME;
  last: readonly BurstCommand[] = [];

  take(event: BurstEvent): readonly string[] {
    const step = stepBurst(this.state, event, TERMS);
    if (!step.allow) return step.reasons;
    this.state = step.state;
    this.last = step.commands;
    return step.commands.map(({ type }) => type);
  }

  look(pressure: Pressure, ms: number): readonly string[] {
    return this.take({ type: 'looked', now: at(ms), pressure });
  }

  place(of: { job: typeof job; attempt?: number; ms?: number; movable?: boolean; microUnits?: number }) {
    const { attempt = 1, ms = 0, movable = true, microUnits = 1_000_000 } = of;
    const price = { microUnits, currency: 'EUR' };
    const now = at(ms);
    return this.take({ type: 'placed', job: of.job, attempt, offer, price, maxDurationMs: HOUR, movable, now });
  }

  opened(): this {
    for (const ms of [0, 1, 2]) this.look('high', ms);
    assert.equal(this.state.gate, 'open');
    return this;
  }

  closed(ms = 60_000): readonly string[] {
    this.look('low', ms);
    return this.look('low', ms + 1);
  }
}

test('the gate opens after so many looks in a row, closes likewise, and neither too soon after the other', () => {
  const course = new Course();
  assert.deepEqual(course.look('high', 0), []);
  assert.deepEqual(course.look('high', 1), []);
  assert.deepEqual(course.look('between', 2), []);
  assert.deepEqual(course.look('high', 3), []);
  assert.deepEqual(course.look('high', 4), []);
  assert.deepEqual(course.look('high', 5), ['open']);
  assert.deepEqual(course.look('low', 6), []);
  assert.deepEqual(course.look('low', 7), [], 'not before its shortest life');
  assert.deepEqual(course.look('low', 50_005), ['close']);
  for (const ms of [50_006, 50_007, 50_008, 150_004]) assert.deepEqual(course.look('high', ms), []);
  assert.deepEqual(course.look('high', 150_005), ['open'], 'it has cooled down');
});

test('a clock that goes back opens and closes nothing', () => {
  const course = new Course().opened();
  for (const ms of [-1e9, -1e9 + 1, -1e9 + 2]) assert.deepEqual(course.look('low', ms), []);
  assert.equal(course.state.gate, 'open');
});

test('return: cordon, move at a checkpoint what may, let the rest end, then deletion, keys, release', () => {
  const course = new Course().opened();
  course.place({ job });
  course.place({ job: other, movable: false });
  const checkpoint = { type: 'checkpointed', now: at(60_000), job, attempt: 1 } as const;
  assert.deepEqual(course.take(checkpoint), [], 'nothing moves while the gate is open');
  assert.deepEqual(course.closed(), ['close', 'cordon']);
  assert.deepEqual(course.take({ ...checkpoint, job: other }), [], 'it cannot go on elsewhere');
  assert.deepEqual(course.take({ ...checkpoint, now: at(49_999) }), [], 'it is too young');
  assert.deepEqual(course.take(checkpoint), ['move']);
  assert.deepEqual(course.take(checkpoint), [], 'once');
  assert.deepEqual(course.take({ type: 'ended', now: at(61_000), job, attempt: 1 }), []);
  const ended = { type: 'ended', now: at(62_000), job: other, attempt: 1 } as const;
  assert.deepEqual(course.take(ended), ['ask-deletion', 'shred-keys']);
  assert.deepEqual(
    course.last.map((each) => ('jobs' in each ? each.jobs : [])),
    [
      [job, other],
      [job, other],
    ],
  );
  assert.deepEqual(course.take(ended), [], 'said again');
  assert.deepEqual(course.take({ type: 'deletion-signed', now: at(63_000), offer }), [], 'keys first');
  assert.deepEqual(course.take({ type: 'keys-shredded', now: at(64_000), offer }), ['release']);
  assert.deepEqual(course.last, [{ type: 'release', offer, deletion: 'signed' }]);
  assert.deepEqual(course.state.offers, []);
});

test('a machine is given back without a signed deletion after a day, and the record says so; never with keys that live', () => {
  const course = new Course().opened();
  course.place({ job });
  course.take({ type: 'ended', now: at(10), job, attempt: 1 });
  assert.deepEqual(course.closed(), ['close', 'cordon', 'ask-deletion', 'shred-keys']);
  assert.deepEqual(course.look('low', 70_000 + DELETION_WAIT_MS), [], 'its keys are not shredded');
  course.state = { ...course.state, offers: course.state.offers.map((each) => ({ ...each, keysShredded: true })) };
  assert.deepEqual(course.look('low', 60_000 + DELETION_WAIT_MS), [], 'not yet a day');
  assert.deepEqual(course.look('low', 60_001 + DELETION_WAIT_MS), ['release']);
  assert.deepEqual(course.last, [{ type: 'release', offer, deletion: 'missing' }]);
});

test('a job on a machine that was emptied voids what was signed about those before', () => {
  const course = new Course().opened();
  course.place({ job });
  course.take({ type: 'ended', now: at(10), job, attempt: 1 });
  course.closed();
  course.take({ type: 'deletion-signed', now: at(70_000), offer });
  course.place({ job: other, ms: 70_001 });
  assert.deepEqual(course.take({ type: 'keys-shredded', now: at(70_002), offer }), []);
  assert.equal(course.state.offers[0]?.phase, 'used');
  assert.deepEqual(course.state.offers[0]?.jobs, [job, other]);
  const ended = { type: 'ended', now: at(80_000), job: other, attempt: 1 } as const;
  assert.deepEqual(course.take(ended), ['cordon', 'ask-deletion', 'shred-keys'], 'the gate is closed');
  assert.deepEqual(
    course.take({ type: 'deletion-signed', now: at(80_001), offer }),
    [],
    'the keys are those of before',
  );
  assert.deepEqual(course.take({ type: 'keys-shredded', now: at(80_002), offer }), ['release']);
});

test('opening again takes machines back that were only cordoned', () => {
  const course = new Course().opened();
  course.place({ job });
  course.closed();
  course.look('high', 200_000);
  course.look('high', 200_001);
  assert.deepEqual(course.look('high', 200_002), ['open', 'uncordon']);
});

test('every command says what has to be signed', () => {
  for (const signatures of Object.values(BURST_SIGNATURES)) assert.ok(signatures.length > 0);
});

test('in any history: what is spent and may be spent never passes the budget, in no period, and no more are away than may be', () => {
  const moves = fc.oneof(
    fc.record({ type: fc.constant('place' as const), job: fc.nat(39), price: fc.integer({ min: 0, max: 12_000_000 }) }),
    fc.record({ type: fc.constant('end' as const), job: fc.nat(39), price: fc.constant(0) }),
  );
  let placed = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(moves, fc.integer({ min: -HOUR, max: 9 * HOUR })), { maxLength: 60 }), (history) => {
      const course = new Course();
      // Kept apart from the ledger: the price and begin of each attempt, and what each period paid.
      const alive = new Map<number, { attempt: number; price: number; since: number; period: number }>();
      const paid = new Map<number, number>();
      let now: number = START;
      let period = 0;
      let attempt = 0;
      for (const [move, step] of history) {
        now += step;
        period = Math.max(period, Math.floor(now / (24 * HOUR)));
        const name = JOBS[move.job] ?? job;
        const held = alive.get(move.job);
        if (move.type === 'place' && held === undefined) {
          attempt += 1;
          const refused = course.place({ job: name, attempt, ms: now - START, microUnits: move.price });
          if (refused.length > 0) continue;
          placed += 1;
          alive.set(move.job, { attempt, price: move.price, since: now, period });
        } else if (move.type === 'end' && held !== undefined) {
          course.take({ type: 'ended', now: epochMs(now), job: name, attempt: held.attempt });
          alive.delete(move.job);
          const ms = Math.max(0, Math.min(HOUR, now - held.since));
          paid.set(held.period, (paid.get(held.period) ?? 0) + Math.ceil((held.price * ms) / HOUR));
        }
        assert.ok(alive.size <= TERMS.mostAtOnce);
        assert.equal(
          reservedIn(course.state.ledger),
          [...alive.values()].reduce((sum, { price }) => sum + price, 0),
        );
        for (const [each, spent] of paid) {
          const open = [...alive.values()]
            .filter((one) => one.period === each)
            .reduce((sum, { price }) => sum + price, 0);
          assert.ok(spent + open <= TERMS.budget.microUnits, `period ${each}: ${spent} + ${open}`);
        }
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(placed > 1_000, `${placed} placed`);
});
