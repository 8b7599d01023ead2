import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decimal, decimalOf, inNumbers, numberOf, positiveFraction, properFraction, type Decimal } from './decimal.ts';

test('a number has one spelling', () => {
  for (const text of ['0', '1', '-1', '0.1', '-0.000001', '123456789012', '0.00000000000000000001', '10'])
    assert.ok(decimal.safeParse(text).success, text);
  const others = [
    '',
    '-0',
    '+1',
    '01',
    '1.',
    '.5',
    '1.0',
    '0.10',
    '1e-5',
    '1E5',
    ' 1',
    '1\n',
    '0x1',
    'NaN',
    'Infinity',
  ];
  for (const text of [...others, '1234567890123', '0.000000000000000000001', '1,5'])
    assert.ok(!decimal.safeParse(text).success, JSON.stringify(text));
});

const millionths = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }).map((count) => count / 1e6);

test('what is written reads as the same number, or is not written', () => {
  let written = 0;
  fc.assert(
    fc.property(fc.oneof(fc.double({ noNaN: true }), millionths), (value) => {
      let text: Decimal;
      try {
        text = decimalOf(value);
      } catch (error) {
        assert.ok(error instanceof RangeError);
        return;
      }
      written += 1;
      assert.ok(decimal.safeParse(text).success, text);
      assert.equal(numberOf(text), Object.is(value, -0) ? 0 : value);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(written > 500, String(written));
  for (const [value, text] of [
    [1e-5, '0.00001'],
    [1e-7, '0.0000001'],
    [2.5, '2.5'],
    [-0, '0'],
    [1e11, '100000000000'],
  ] as const)
    assert.equal(decimalOf(value), text);
  for (const value of [Number.NaN, Infinity, 1e13, 1e-30]) assert.throws(() => decimalOf(value), RangeError);
});

test('fractions know their ends', () => {
  for (const [text, proper, positive] of [
    ['0', true, false],
    ['1', false, true],
    ['0.5', true, true],
    ['-0.5', false, false],
    ['1.5', false, false],
  ] as const) {
    assert.equal(properFraction.safeParse(text).success, proper, text);
    assert.equal(positiveFraction.safeParse(text).success, positive, text);
  }
});

test('a specification in numbers keeps its words', () => {
  const spec = { kind: 'fedavg', rate: '0.5' as Decimal, list: ['1' as Decimal], count: 3, none: null };
  assert.deepEqual(inNumbers(spec), { kind: 'fedavg', rate: 0.5, list: [1], count: 3, none: null });
});
