import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64Url,
  toHex,
  uint64,
  utf8,
} from './bytes.ts';
import { seededRng } from './rng.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;
const bytes = fc.uint8Array({ maxLength: 100 });

test('base64url: RFC 4648 §10 without padding, and the two letters of §5', () => {
  const vectors = { '': '', f: 'Zg', fo: 'Zm8', foo: 'Zm9v', foob: 'Zm9vYg', fooba: 'Zm9vYmE', foobar: 'Zm9vYmFy' };
  for (const [text, encoded] of Object.entries(vectors)) {
    assert.equal(toBase64Url(utf8(text)), encoded);
    assert.equal(fromUtf8(fromBase64Url(encoded)), text);
  }
  assert.equal(toBase64Url(fromHex('fbff')), '-_8');
});

test('base64url: one spelling only', () => {
  for (const text of ['Zg==', 'Zh', 'Zm9=', 'Zm9/', 'Zm9+', 'Zm9v\n', ' Zm9v', 'Zm 9v', 'A', 'Zm9vA', 'Zm9v=', 'Zmé9'])
    assert.throws(() => fromBase64Url(text), RangeError, text);
});

test(`base64url: whatever parses is written back as it was, in ${2 * CASES} tries`, () => {
  const alphabet = 'ABCXYZabcxyz0189-_+/= \n\u0000é';
  const rng = seededRng('base64url');
  let parsed = 0;
  for (let run = 0; run < 2 * CASES; run += 1) {
    const choices = rng.bytes(run % 9);
    // Mostly letters of the alphabet proper, so that both outcomes are common.
    const text = [...choices].map((choice) => alphabet.charAt(choice % (choice > 230 ? alphabet.length : 18))).join('');
    try {
      assert.equal(toBase64Url(fromBase64Url(text)), text);
      parsed += 1;
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
  }
  assert.ok(parsed > CASES / 10 && parsed < 1.9 * CASES, String(parsed));
});

test('hexadecimal: lower case, two digits a byte', () => {
  for (const text of ['0', 'AB', 'ag', '0x', ' 00', '00\n', 'é0']) assert.throws(() => fromHex(text), RangeError, text);
  fc.assert(fc.property(bytes, (value) => assert.deepEqual(Uint8Array.from(fromHex(toHex(value))), value)));
});

test('a view into a larger buffer is written as itself', () => {
  const whole = Uint8Array.from({ length: 16 }, (_, at) => at);
  const view = whole.subarray(4, 7);
  assert.equal(toHex(view), '040506');
  assert.equal(toBase64Url(view), 'BAUG');
});

test('UTF-8: invalid bytes throw, and a byte order mark stays', () => {
  for (const hex of ['ff', 'c0af', 'eda080', 'f4908080', 'e282'])
    assert.throws(() => fromUtf8(fromHex(hex)), TypeError);
  assert.equal(fromUtf8(fromHex('efbbbf61')), '\ufeffa');
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(fromUtf8(utf8(text)), text)));
});

test('equal and concatenated', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(equalBytes(a, b), toHex(a) === toHex(b));
      assert.ok(equalBytes(a, Uint8Array.from(a)));
      assert.equal(toHex(concatBytes(a, b, a)), toHex(a) + toHex(b) + toHex(a));
    }),
  );
});

test('uint64 is big-endian and takes whole, non-negative, safe numbers', () => {
  assert.equal(toHex(uint64(0x0102_0304_0506)), '0000010203040506');
  assert.equal(toHex(uint64(Number.MAX_SAFE_INTEGER)), '001fffffffffffff');
  for (const value of [-1, 0.5, Number.NaN, Infinity]) assert.throws(() => uint64(value), RangeError);
});
