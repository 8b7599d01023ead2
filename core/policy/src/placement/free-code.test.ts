import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { amountCode, cardCode, rowCardCode, sameCards, sameSide } from './free-code.ts';
import { ROW, WHOLE } from './offer-row-layout.ts';

const amount = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  fc
    .tuple(fc.integer({ min: 0, max: 62 }), fc.integer({ min: -1, max: 1 }))
    .map(([power, by]) => Math.max(0, 2 ** power + by)),
);
const amounts = fc.tuple(amount, amount, amount);
const cards = fc.array(fc.integer({ min: 0, max: 64 }), { minLength: 4, maxLength: 4 });

function cardsOf(free: readonly number[]): number {
  const row = new Float64Array(ROW);
  for (const [kind, count] of free.entries()) row[WHOLE + kind] = count;
  return rowCardCode(row, 0);
}

test('amounts that lie on the same side by their codes do so by their numbers', () => {
  let same = 0;
  const check = (before: number[], after: number[], asked: number[]) => {
    if (!sameSide(amountCode(...triple(before)), amountCode(...triple(after)), amountCode(...triple(asked)))) return;
    same += 1;
    for (const [place, least] of asked.entries()) {
      assert.equal((before[place] ?? 0) >= least, (after[place] ?? 0) >= least, [before, after, asked].join(' | '));
    }
  };
  fc.assert(fc.property(amounts, amounts, amounts, check), { numRuns: 100_000 });
  assert.ok(same > 5_000, `${same}`);
});

test('a change far from an amount is passed over, one that passes it is not', () => {
  const asked = amountCode(4_000, 8e9, 0);
  assert.ok(sameSide(amountCode(64_000, 64e9, 1e12), amountCode(60_000, 56e9, 1e12), asked));
  assert.ok(sameSide(amountCode(2_000, 64e9, 1e12), amountCode(1_000, 56e9, 1e12), asked));
  assert.ok(!sameSide(amountCode(5_000, 64e9, 1e12), amountCode(1_000, 64e9, 1e12), asked));
  assert.ok(!sameSide(amountCode(64_000, 9e9, 1e12), amountCode(64_000, 1e9, 1e12), asked));
});

test('codes of whole cards say exactly whether there are enough', () => {
  fc.assert(
    fc.property(cards, cards, fc.integer({ min: 0, max: 200 }), (before, after, asked) => {
      const same = before.every((count, kind) => count >= asked === (after[kind] ?? 0) >= asked);
      assert.equal(sameCards(cardsOf(before), cardsOf(after), cardCode(asked)), same);
    }),
    { numRuns: 20_000 },
  );
});

function triple([cpu = 0, memory = 0, disk = 0]: number[]): [number, number, number] {
  return [cpu, memory, disk];
}
