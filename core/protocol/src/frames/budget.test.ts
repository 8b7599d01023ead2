import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  BUDGET_BYTES,
  fullBudget,
  READER_DEPTH,
  refill,
  spend,
  TRANSITION_BYTES,
  waitFor,
  type Budget,
} from './budget.ts';
import { FRAME_SIZES } from './size-class.ts';

function paid(budget: Budget | undefined): Budget {
  assert.ok(budget !== undefined);
  return budget;
}

test('32 small frames at once, then one each 1.875 s', () => {
  let budget = fullBudget(1_000);
  for (let frame = 0; frame < 32; frame += 1) budget = paid(spend(budget, { bytes: 512 }));
  assert.equal(spend(budget, { bytes: 512 }), undefined);
  assert.equal(waitFor(budget, { bytes: 512 }), 1_875);
  assert.equal(spend(refill(budget, 2_874), { bytes: 512 }), undefined);
  budget = paid(spend(refill(budget, 2_875), { bytes: 512 }));
  assert.equal(waitFor(budget, { bytes: 512 }), 1_875);
});

test('a transition pays for itself and leaves its rest to what it causes', () => {
  const empty: Budget = { tokens: 0, at: 0 };
  assert.equal(waitFor(empty, { bytes: 8_192, transition: true }), 0);
  const left = paid(spend(empty, { bytes: 8_192, transition: true }));
  assert.equal(left.tokens, (TRANSITION_BYTES - 8_192) * 60_000);
  assert.ok(spend(left, { bytes: 8_192 }));
});

test('a bucket never overflows by waiting, nor by a clock that jumps', () => {
  assert.deepEqual(refill(fullBudget(0), 10 ** 12), fullBudget(10 ** 12));
  assert.deepEqual(refill({ tokens: 5, at: 100 }, 50), { tokens: 5, at: 50 });
  const rich = { tokens: 2 * BUDGET_BYTES * 60_000, at: 0 };
  assert.equal(refill(rich, 60_000).tokens, rich.tokens, 'credit for transitions is not lost to the cap');
});

test('transitions cannot be hoarded for a flood later', () => {
  let budget = fullBudget(0);
  for (let frame = 0; frame < 1_000; frame += 1) budget = paid(spend(budget, { bytes: 512, transition: true }));
  assert.equal(budget.tokens, (BUDGET_BYTES + 3 * TRANSITION_BYTES) * 60_000);
});

test('the reserve keeps heartbeats from using what acknowledgements need', () => {
  const budget: Budget = { tokens: 4_096 * 60_000, at: 0 };
  assert.equal(spend(budget, { bytes: 512, reserve: 4_096 }), undefined);
  assert.ok(spend(budget, { bytes: 512 }));
});

const schedule = fc.array(
  fc.record({ gap: fc.nat({ max: 20_000 }), bytes: fc.constantFrom(...FRAME_SIZES), transition: fc.boolean() }),
  { maxLength: 200 },
);

test('whoever waits as told is never over budget, and in no window sends more than the promise', () => {
  fc.assert(
    fc.property(schedule, (frames) => {
      let now = 0;
      let budget = fullBudget(0);
      const sent: { at: number; bytes: number; credit: number }[] = [];
      for (const { gap, bytes, transition } of frames) {
        now += gap;
        budget = refill(budget, now);
        now += waitFor(budget, { bytes, transition });
        budget = paid(spend(refill(budget, now), { bytes, transition }));
        sent.push({ at: now, bytes, credit: transition ? TRANSITION_BYTES : 0 });
      }
      for (let from = 0; from < sent.length; from += 7) {
        let bytes = 0;
        let credit = sent.slice(0, from).reduce((sum, frame) => sum + frame.credit, 0);
        for (const frame of sent.slice(from)) {
          bytes += frame.bytes;
          credit += frame.credit;
          const minutes = (frame.at - (sent[from]?.at ?? 0)) / 60_000;
          assert.ok(bytes <= BUDGET_BYTES * (1 + minutes) + credit + 1);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('a reader that sees an honest sender up to two minutes late does not complain', () => {
  fc.assert(
    fc.property(schedule, fc.nat({ max: 119_000 }), (frames, delay) => {
      let now = 0;
      let sender = fullBudget(0);
      let reader = fullBudget(0, READER_DEPTH);
      let heldUntil = 0;
      for (const { gap, bytes, transition } of frames) {
        now += gap;
        sender = refill(sender, now);
        now += waitFor(sender, { bytes, transition });
        sender = paid(spend(refill(sender, now), { bytes, transition }));
        // The network holds everything back for `delay`, lets it all through at once, and starts over.
        if (now > heldUntil) heldUntil = now + delay;
        reader = paid(spend(refill(reader, heldUntil, READER_DEPTH), { bytes, transition }, READER_DEPTH));
      }
    }),
    { numRuns: 300 },
  );
});
