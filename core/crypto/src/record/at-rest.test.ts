import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng, toHex } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { openAtRest, sealAtRest, type RestingPlace } from './at-rest.ts';
import { RecordKey } from './record-key.ts';

const rng = seededRng('at-rest');
const key = RecordKey.generate(rng);
const name = fc.string({ unit: 'grapheme', maxLength: 12 });
const place: fc.Arbitrary<RestingPlace> = fc.oneof(
  fc.record({ table: name, column: name, row: name }),
  fc.record({ file: name }),
);

test('opens at its own place and nowhere else', () => {
  fc.assert(
    fc.property(place, place, fc.uint8Array({ maxLength: 60 }), (here, there, plaintext) => {
      const sealed = sealAtRest(key, here, plaintext, rng);
      assert.deepEqual(Uint8Array.from(openAtRest(key, here, sealed)), plaintext);
      if (JSON.stringify(here) !== JSON.stringify(there))
        assert.throws(() => openAtRest(key, there, sealed), { code: 'cannot-open' });
      assert.throws(() => openAtRest(RecordKey.generate(rng), here, sealed), { code: 'cannot-open' });
    }),
    { numRuns: 300 },
  );
});

test('every name counts, and they cannot be cut differently', () => {
  const sealed = sealAtRest(key, { table: 'ab', column: 'c', row: 'd' }, rng.bytes(8), rng);
  for (const other of [
    { table: 'x', column: 'c', row: 'd' },
    { table: 'ab', column: 'x', row: 'd' },
    { table: 'ab', column: 'c', row: 'x' },
    { table: 'a', column: 'bc', row: 'd' },
    { table: 'ab', column: 'd', row: 'c' },
    { file: 'ab/c/d' },
  ])
    assert.throws(() => openAtRest(key, other, sealed), { code: 'cannot-open' });
});

test('every byte counts, and hostile bytes are refused with one code', () => {
  const here = { file: 'state' };
  const sealed = sealAtRest(key, here, rng.bytes(20), rng);
  for (let at = 0; at < sealed.length; at += 1) {
    const broken = Uint8Array.from(sealed);
    broken[at] = (broken[at] ?? 0) ^ (1 << (at % 8));
    assert.throws(() => openAtRest(key, here, broken), { code: 'cannot-open' });
    assert.throws(() => openAtRest(key, here, sealed.subarray(0, at)), { code: 'cannot-open' });
  }
  const codes = new Map<unknown, number>();
  for (let run = 0; run < 100_000; run += 1) {
    let code: unknown = 'opened';
    try {
      openAtRest(key, here, rng.bytes(run % 100 < 98 ? run % 42 : 70));
    } catch (error) {
      code = error instanceof CryptoError ? error.code : error;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  assert.deepEqual([...codes], [['cannot-open', 100_000]]);
});

test('keys have 32 bytes, survive storage, and do not print', () => {
  assert.throws(() => RecordKey.fromBytes(new Uint8Array(31)), { code: 'bad-key' });
  const again = RecordKey.fromBytes(Uint8Array.from(key.secret.expose()));
  const sealed = sealAtRest(key, { file: 'x' }, rng.bytes(3), rng);
  assert.equal(openAtRest(again, { file: 'x' }, sealed).length, 3);
  assert.equal(JSON.stringify({ key }).includes(toHex(key.secret.expose()).slice(0, 8)), false);
});
