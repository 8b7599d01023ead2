import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gcm } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import { fromHex, Secret, seededRng, toHex, utf8 } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { MAX_RECORDS, openRecord, RECORD_TAG_BYTES, sealRecord } from './record-protection.ts';
import { TrafficKey } from './traffic-key.ts';

const rng = seededRng('records');
const key = new TrafficKey(new Secret(rng.bytes(32)), rng.bytes(12));
const bytes = fc.uint8Array({ maxLength: 600 });
const sequences = fc.integer({ min: 0, max: MAX_RECORDS - 1 });

test('AES-256-GCM: test cases 13, 14 and 16 of the GCM specification', () => {
  const zero = new TrafficKey(new Secret(new Uint8Array(32)), new Uint8Array(12));
  const none = new Uint8Array(0);
  assert.equal(toHex(sealRecord(zero, 0, none, none)), '530f8afbc74536b9a963b4f1c4cb738b');
  assert.equal(
    toHex(sealRecord(zero, 0, none, new Uint8Array(16))),
    'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  );
  const long = new TrafficKey(
    new Secret(fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308')),
    fromHex('cafebabefacedbaddecaf888'),
  );
  const plaintext = fromHex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  assert.equal(
    toHex(sealRecord(long, 0, fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2'), plaintext)),
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  );
});

test('the nonce is iv XOR sequence, as another implementation computes it', () => {
  fc.assert(
    fc.property(sequences, bytes, bytes, (sequence, aad, plaintext) => {
      const nonce = Buffer.from(key.iv);
      const number = Buffer.alloc(12);
      number.writeBigUInt64BE(BigInt(sequence), 4);
      for (const [at, byte] of number.entries()) nonce[at] = (nonce[at] ?? 0) ^ byte;
      const expected = gcm(key.key.expose(), nonce, aad).encrypt(plaintext);
      assert.deepEqual(Buffer.from(sealRecord(key, sequence, aad, plaintext)), Buffer.from(expected));
    }),
    { numRuns: 200 },
  );
});

test('opens what was sealed', () => {
  fc.assert(
    fc.property(sequences, bytes, bytes, (sequence, aad, plaintext) => {
      const sealed = sealRecord(key, sequence, aad, plaintext);
      assert.equal(sealed.length, plaintext.length + RECORD_TAG_BYTES);
      assert.deepEqual(Uint8Array.from(openRecord(key, sequence, aad, sealed)), plaintext);
    }),
  );
});

test('every change is refused with the one error', () => {
  const plaintext = rng.bytes(100);
  const aad = utf8('header');
  const sealed = sealRecord(key, 7, aad, plaintext);
  const refused = (run: () => unknown): void =>
    assert.throws(run, { code: 'cannot-open', message: 'the sealed bytes do not open with this key for this purpose' });
  for (let at = 0; at < sealed.length; at += 1) {
    const broken = Uint8Array.from(sealed);
    broken[at] = (broken[at] ?? 0) ^ (1 << (at % 8));
    refused(() => openRecord(key, 7, aad, broken));
  }
  for (let length = 0; length < sealed.length; length += 1)
    refused(() => openRecord(key, 7, aad, sealed.subarray(0, length)));
  refused(() => openRecord(key, 7, aad, Buffer.concat([sealed, Buffer.alloc(1)])));
  refused(() => openRecord(key, 6, aad, sealed));
  refused(() => openRecord(key, 7, utf8('headeR'), sealed));
  refused(() => openRecord(key, 7, new Uint8Array(0), sealed));
  refused(() => openRecord(new TrafficKey(new Secret(rng.bytes(32)), key.iv), 7, aad, sealed));
  refused(() => openRecord(new TrafficKey(key.key, rng.bytes(12)), 7, aad, sealed));
});

test('sequence numbers stay within the limit of one key', () => {
  for (const sequence of [-1, 0.5, Number.NaN, MAX_RECORDS, 2 ** 53]) {
    assert.throws(() => sealRecord(key, sequence, new Uint8Array(0), utf8('x')), { code: 'limit-reached' });
    assert.throws(() => openRecord(key, sequence, new Uint8Array(0), new Uint8Array(32)), { code: 'limit-reached' });
  }
});

test('random bytes never open, in 100,000 tries', () => {
  const codes = new Map<unknown, number>();
  for (let run = 0; run < 100_000; run += 1) {
    let code: unknown = 'opened';
    try {
      openRecord(key, run, new Uint8Array(0), rng.bytes(run % 48));
    } catch (error) {
      code = error instanceof CryptoError ? error.code : error;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  assert.deepEqual([...codes], [['cannot-open', 100_000]]);
});

test('keys have their length, and do not print', () => {
  assert.throws(() => new TrafficKey(new Secret(rng.bytes(31)), rng.bytes(12)), { code: 'bad-key' });
  assert.throws(() => new TrafficKey(new Secret(rng.bytes(32)), rng.bytes(8)), { code: 'bad-key' });
  assert.equal(JSON.stringify(key).includes(toHex(key.key.expose()).slice(0, 8)), false);
});
