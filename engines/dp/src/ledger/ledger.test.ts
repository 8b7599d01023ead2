import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epsilonOf, type PrivacyEvent } from '../accountant/index.ts';
import { decideDebit, promisesAsMuch, type PrivacyBudget } from './debit.ts';
import { hides, type PrivacyUnit } from './privacy-unit.ts';
import { epsilonSpent, type Spent } from './spent.ts';
import { addTallies, eventKey, eventsOf, tallyOf, type Tally } from './tally.ts';

const RECORD: PrivacyUnit = { kind: 'record' };
const PATIENT: PrivacyUnit = { kind: 'person', column: 'patient', mostRows: 4 };
const ORGANISATION: PrivacyUnit = { kind: 'organisation' };
const STEP: PrivacyEvent = { type: 'sampled-gaussian', q: 0.01, sigma: 1, steps: 1 };
const DELTA = 1e-5;

const events = fc.oneof(
  fc.record({
    type: fc.constant('sampled-gaussian' as const),
    q: fc.constantFrom(0.01, 0.1, 1),
    sigma: fc.constantFrom(2, 4),
    steps: fc.integer({ min: 1, max: 50 }),
  }),
  fc.record({
    type: fc.constant('gaussian' as const),
    sigma: fc.constantFrom(5, 20),
    steps: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    type: fc.constant('pure' as const),
    epsilon: fc.constantFrom(0.01, 0.1),
    steps: fc.integer({ min: 1, max: 5 }),
  }),
);

test('who hides more hides less as well, and never the other way round', () => {
  const other: PrivacyUnit = { kind: 'person', column: 'household', mostRows: 4 };
  const units = [RECORD, PATIENT, other, ORGANISATION];
  const table = units.map((given) => units.map((wanted) => hides(given, wanted)));
  assert.deepEqual(table, [
    [true, false, false, false],
    [true, true, false, false],
    [true, false, true, false],
    [true, true, true, true],
  ]);
});

test('equal events have one key however they are written, and different ones have two', () => {
  const { type, q, sigma, steps } = STEP as Extract<PrivacyEvent, { type: 'sampled-gaussian' }>;
  assert.equal(eventKey({ steps, sigma, type, q }), eventKey(STEP));
  assert.notEqual(eventKey({ type, q, sigma: sigma + 2 ** -52, steps }), eventKey(STEP));
});

test('ten thousand rounds are one line, and the epsilon is that of the run', () => {
  let tally: Tally = [];
  for (let round = 0; round < 10_000; round += 1) tally = addTallies(tally, tallyOf([STEP]));
  assert.deepEqual(tally, [{ event: STEP, times: 10_000 }]);
  const spent = epsilonSpent({ floor: undefined, tally }, DELTA);
  assert.equal(spent, epsilonOf([{ ...STEP, steps: 10_000 }], DELTA).least);
  // dp_accounting's value for q .01, sigma 1, 10,000 steps at 1e-5.
  assert.ok(Math.abs(spent - 6.187745) < 1e-3, String(spent));
  const tree: PrivacyEvent = { type: 'tree', sigma: 8, leaves: 100, restarts: 2 };
  assert.deepEqual(eventsOf(tallyOf([tree, tree])), [{ ...tree, restarts: 4 }]);
});

test('over random histories the account is never below the accountant on what was done, and never less than before', () => {
  fc.assert(
    fc.property(fc.array(events, { minLength: 1, maxLength: 4 }), (history) => {
      let tally: Tally = [];
      let before = 0;
      for (const event of history) {
        tally = addTallies(tally, tallyOf([event]));
        const now = epsilonSpent({ floor: undefined, tally }, DELTA);
        // Each accounting's grid errs upwards, by less than this.
        assert.ok(now >= before - 1e-3, `${before} became ${now}`);
        before = now;
      }
      const truth = epsilonOf(history, DELTA);
      assert.ok(before >= (truth.pldLower ?? 0), `${before} is below ${String(truth.pldLower)}`);
    }),
    { numRuns: 12, seed: 7 },
  );
});

test('a debit is allowed exactly while the budget has room for it', () => {
  const budget: PrivacyBudget = { unit: RECORD, epsilon: 1, delta: DELTA };
  let tally: Tally = [];
  let allowed = 0;
  const wish = { unit: RECORD, events: [{ ...STEP, steps: 50 }] };
  for (let tries = 0; tries < 1_000; tries += 1) {
    const decision = decideDebit(budget, { floor: undefined, tally }, wish);
    if (!decision.allow) {
      assert.deepEqual(decision.reasons, ['budget']);
      break;
    }
    allowed += 1;
    tally = addTallies(tally, tallyOf(wish.events));
    assert.equal(decision.epsilon, epsilonSpent({ floor: undefined, tally }, DELTA));
  }
  const steps = allowed * 50;
  assert.ok(epsilonOf([{ ...STEP, steps }], DELTA).least <= 1);
  assert.ok(epsilonOf([{ ...STEP, steps: steps + 50 }], DELTA).least > 1);
  assert.deepEqual(decideDebit({ ...budget, unit: PATIENT }, { floor: undefined, tally: [] }, wish), {
    allow: false,
    reasons: ['unit-mismatch'],
  });
});

test('a floor is added with its delta, which the rest has no more', () => {
  const tally = tallyOf([{ ...STEP, steps: 100 }]);
  const floor = { epsilon: 2, delta: DELTA };
  const spent = (more: Partial<Spent>, delta: number): number => epsilonSpent({ floor, tally, ...more }, delta);
  assert.equal(spent({}, 3 * DELTA), 2 + epsilonOf(eventsOf(tally), 3 * DELTA - DELTA).least);
  assert.equal(spent({ tally: [] }, DELTA), 2);
  assert.equal(spent({}, DELTA), Infinity, 'nothing is left of delta');
  assert.equal(spent({ tally: [] }, DELTA / 2), Infinity, 'the floor itself needs more');
});

test('a budget that lets more be lost, or hides less, does not promise as much', () => {
  const before: PrivacyBudget = { unit: PATIENT, epsilon: 3, delta: DELTA };
  const cases: readonly (readonly [Partial<PrivacyBudget>, boolean])[] = [
    [{}, true],
    [{ epsilon: 2 }, true],
    [{ delta: DELTA / 10 }, true],
    [{ unit: ORGANISATION }, true],
    [{ epsilon: 3.01 }, false],
    [{ delta: 2 * DELTA }, false],
    [{ unit: RECORD }, false],
    [{ unit: RECORD, epsilon: 1 }, false],
  ];
  for (const [edit, expected] of cases) assert.equal(promisesAsMuch({ ...before, ...edit }, before), expected);
});
