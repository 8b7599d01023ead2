import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Secret, seededRng, toHex, utf8, type Rng } from '@ringfence/base';
import { xaesOpen, xaesSeal } from './xaes-256-gcm.ts';

const exactly = (bytes: Uint8Array): Rng => ({ bytes: () => bytes });
const filled = (byte: number): Secret => new Secret(new Uint8Array(32).fill(byte));
const none = new Uint8Array(0);

test('the two vectors of the specification', () => {
  const nonce = utf8('ABCDEFGHIJKLMNOPQRSTUVWX');
  const seal = (byte: number, aad: string): string =>
    toHex(xaesSeal(filled(byte), exactly(nonce), utf8(aad), utf8('XAES-256-GCM')).subarray(24));
  assert.equal(seal(1, ''), 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271');
  assert.equal(seal(3, 'c2sp.org/XAES-256-GCM'), '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d');
});

test('the accumulated vector of 10,000 random keys, nonces, plaintexts and AADs', () => {
  const stream = shake128Reader();
  const output = createHash('shake128', { outputLength: 32 });
  for (let run = 0; run < 10_000; run += 1) {
    const key = new Secret(stream(32));
    const nonce = stream(24);
    const plaintext = stream(stream(1)[0] ?? 0);
    const aad = stream(stream(1)[0] ?? 0);
    const sealed = xaesSeal(key, exactly(nonce), aad, plaintext);
    assert.equal(Buffer.compare(xaesOpen(key, aad, sealed), plaintext), 0);
    output.update(sealed.subarray(24));
  }
  assert.equal(output.digest('hex'), 'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939');
});

test('opens what was sealed, and nothing that was changed', () => {
  const rng = seededRng('xaes');
  const key = new Secret(rng.bytes(32));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(),
      (plaintext, aad, seed) => {
        const sealed = xaesSeal(key, rng, aad, plaintext);
        assert.equal(sealed.length, plaintext.length + 40);
        assert.deepEqual(Uint8Array.from(xaesOpen(key, aad, sealed)), plaintext);
        const broken = Uint8Array.from(sealed);
        const at = seed % broken.length;
        broken[at] = (broken[at] ?? 0) ^ (1 << (seed % 8));
        assert.throws(() => xaesOpen(key, aad, broken), { code: 'cannot-open' });
        assert.throws(() => xaesOpen(key, aad, sealed.subarray(0, at)), { code: 'cannot-open' });
        assert.throws(() => xaesOpen(key, Buffer.concat([aad, Buffer.alloc(1)]), sealed), {
          code: 'cannot-open',
        });
        assert.throws(() => xaesOpen(new Secret(rng.bytes(32)), aad, sealed), { code: 'cannot-open' });
      },
    ),
    { numRuns: 300 },
  );
});

test('keys have 32 bytes', () => {
  const short = new Secret(new Uint8Array(16));
  assert.throws(() => xaesSeal(short, seededRng('x'), none, none), { code: 'bad-key' });
  assert.throws(() => xaesOpen(short, none, new Uint8Array(40)), { code: 'bad-key' });
});

/** Reads SHAKE128 of nothing piece by piece; enough output is squeezed at once. */
function shake128Reader(): (length: number) => Uint8Array {
  const output = createHash('shake128', { outputLength: 10_000 * (32 + 24 + 2 + 2 * 255) }).digest();
  let at = 0;
  return (length) => output.subarray(at, (at += length));
}
