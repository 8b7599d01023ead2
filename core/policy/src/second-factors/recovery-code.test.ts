import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { fromUtf8, Secret, seededRng, type MemberId } from '@ringfence/base';
import fc from 'fast-check';
import { makeRecoveryCode, printRecoveryCode, readRecoveryCode, recoveryCodeDigest } from './index.ts';

const rng = seededRng('recovery codes');
const anna = 'mem_anna' as MemberId;
const printed = (code: Secret): string => fromUtf8(printRecoveryCode(code).expose());
const hexOf = (text: string): string => {
  const read = readRecoveryCode(text);
  return read.allow ? Buffer.from(read.code.expose()).toString('hex') : read.reasons.join();
};

describe('a recovery code', () => {
  it('is printed as an independent base32 writes it', () => {
    // RFC 4648, section 10: the test vector "foobar", filled up to fifteen bytes.
    const text = printed(new Secret(Buffer.from('foobarfoobarfoo')));
    assert.match(text, /^rfb1-mzxw-6ytb-ojtg-633c-mfzg-m33p-[a-z2-7]{4}$/);
    assert.equal(hexOf(text), Buffer.from('foobarfoobarfoo').toString('hex'));
  });

  it('has 120 random bits', () => {
    const codes = Array.from({ length: 1_000 }, () => makeRecoveryCode(rng));
    for (const code of codes) assert.equal(code.length * 8, 120);
    for (let place = 0; place < 15; place += 1)
      assert.ok(new Set(codes.map((code) => code.expose()[place])).size > 200, `byte ${place} varies`);
  });

  it('of before, with 80 bits, reads as it did', () => {
    const earlier = 'rfb1-mzxw-6ytb-ojtg-633c-mcqy';
    const wanted = Buffer.from('foobarfoob').toString('hex');
    for (const typed of [earlier, earlier.toUpperCase(), earlier.slice(5), earlier.replaceAll('-', '')])
      assert.equal(hexOf(typed), wanted);
    assert.equal(hexOf(earlier.replace('mzxw', 'mzxv')), 'slip');
  });

  it('is read as it was printed, however it is typed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 15, maxLength: 15 }), (bytes) => {
        const text = printed(new Secret(Uint8Array.from(bytes)));
        const wanted = Buffer.from(bytes).toString('hex');
        for (const typed of [text, text.toUpperCase(), text.slice(5), text.replaceAll('-', ' '), `\t${text}\n`])
          assert.equal(hexOf(typed), wanted);
      }),
    );
  });

  it('with one letter changed, or two swapped, is a slip', () => {
    const letters = printed(makeRecoveryCode(rng)).slice(5).replaceAll('-', '');
    for (let place = 0; place < letters.length; place += 1) {
      for (const other of 'abcdefghijklmnopqrstuvwxyz234567') {
        const changed = letters.slice(0, place) + other + letters.slice(place + 1);
        if (other !== letters[place]) assert.equal(hexOf(changed), 'slip', changed);
      }
      const [here = '', next = ''] = letters.slice(place, place + 2);
      if (here === next || next === '') continue;
      assert.equal(hexOf(letters.slice(0, place) + next + here + letters.slice(place + 2)), 'slip');
    }
  });

  it('is nothing else that anybody types', () => {
    const unit = fc.constantFrom(...'rfb1-abz27 0189é\n'.split(''));
    const typed = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit, maxLength: 40 }));
    fc.assert(
      fc.property(typed, (text) => {
        assert.equal(readRecoveryCode(text).allow, false);
      }),
      { numRuns: 100_000 },
    );
    assert.equal(hexOf(' '.repeat(200) + printed(makeRecoveryCode(rng))), 'no-code');
    for (const length of [0, 10, 14, 16])
      assert.throws(() => printRecoveryCode(new Secret(new Uint8Array(length))), RangeError);
  });

  it('lies as a digest that is its member’s alone', () => {
    const code = new Secret(Buffer.from('foobarfoob'));
    const wanted = createHash('sha256').update('ringfence/recovery-code/v1\0mem_anna\0foobarfoob').digest('hex');
    assert.equal(recoveryCodeDigest(anna, code), wanted);
    assert.notEqual(recoveryCodeDigest('mem_ben' as MemberId, code), wanted);
  });

  it('shows itself to nobody who prints it', () => {
    const code = makeRecoveryCode(rng);
    for (const shown of [String(code), JSON.stringify(code), inspect(code), inspect(printRecoveryCode(code))])
      assert.equal(shown.includes('secret'), true);
  });
});
