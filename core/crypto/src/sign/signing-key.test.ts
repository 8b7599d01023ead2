import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, seededRng, Secret, toBase64Url, toHex, utf8 } from '@ringfence/base';
import { SIGNATURE_DOMAINS } from './signature-domain.ts';
import { parseSigningPublicKey, signOwnEncoding, SigningKey, verifyMessage, verifySignature } from './signing-key.ts';

const rng = seededRng('signing-key');
const key = SigningKey.generate(rng);

// RFC 8032 §7.1, tests 1 to 3.
const RFC_8032 = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

test('RFC 8032 vectors', () => {
  for (const vector of RFC_8032) {
    const signer = SigningKey.fromSeed(new Secret(fromHex(vector.seed)));
    assert.equal(signer.publicKey, toBase64Url(fromHex(vector.publicKey)));
    assert.equal(toHex(signOwnEncoding(signer, fromHex(vector.message))), vector.signature);
    assert.ok(verifyMessage(signer.publicKey, fromHex(vector.message), fromHex(vector.signature)));
  }
});

test('a signature holds for its key, purpose and bytes alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, at) => {
      const signature = key.sign('ringfence/frame/v1', bytes);
      assert.ok(verifySignature(key.publicKey, 'ringfence/frame/v1', bytes, signature));
      for (const domain of SIGNATURE_DOMAINS)
        assert.equal(verifySignature(key.publicKey, domain, bytes, signature), domain === 'ringfence/frame/v1');
      const broken = Uint8Array.from(signature);
      broken[at % 64] = (broken[at % 64] ?? 0) ^ (1 << (at % 8));
      assert.equal(verifySignature(key.publicKey, 'ringfence/frame/v1', bytes, broken), false);
    }),
    { numRuns: 100 },
  );
  const signature = key.sign('ringfence/http/v1', utf8('x'));
  const other = SigningKey.generate(rng);
  assert.equal(verifySignature(other.publicKey, 'ringfence/http/v1', utf8('x'), signature), false);
  for (const length of [0, 63, 65])
    assert.equal(verifySignature(key.publicKey, 'ringfence/http/v1', utf8('x'), new Uint8Array(length)), false);
});

test('the purpose and the bytes cannot be cut differently', () => {
  const signature = signOwnEncoding(key, utf8('ringfence/frame/v1\0bytes'));
  assert.ok(verifySignature(key.publicKey, 'ringfence/frame/v1', utf8('bytes'), signature));
  for (const domain of SIGNATURE_DOMAINS) assert.doesNotMatch(domain, /\0|^DSSE/);
});

test('seeds survive storage, and have 32 bytes', () => {
  assert.equal(SigningKey.fromSeed(key.seed()).publicKey, key.publicKey);
  const stored = key.seed();
  const again = SigningKey.fromSeed(stored);
  stored[Symbol.dispose]();
  assert.deepEqual(again.seed().expose(), key.seed().expose(), 'the key owns its seed');
  for (const length of [0, 31, 33])
    assert.throws(() => SigningKey.fromSeed(new Secret(new Uint8Array(length))), { code: 'bad-key' });
});

test('public keys parse from their one spelling', () => {
  assert.equal(parseSigningPublicKey(key.publicKey), key.publicKey);
  for (const text of [
    '',
    key.publicKey.slice(1),
    `${key.publicKey}=`,
    `${key.publicKey}A`,
    key.publicKey.replace(/./, '+'),
  ])
    assert.equal(parseSigningPublicKey(text), undefined, text);
  // 43 letters carry two bits more than 32 bytes do.
  assert.equal(parseSigningPublicKey(`${'A'.repeat(42)}B`), undefined);
});

test('points under which one signature fits many messages are refused', () => {
  const p = 2n ** 255n - 19n;
  const order8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
  // Doubling an order-8 point gives y = 0, hence x² = −y², and the curve equation becomes d·y⁴ + 2y² − 1 = 0, × 121666:
  assert.equal((-121665n * order8 ** 4n + 121666n * (2n * order8 ** 2n - 1n)) % p, 0n);
  const y = [0n, 1n, p - 1n, p, p + 1n, order8, p - order8, 2n ** 255n - 1n];
  for (const value of y)
    for (const sign of [0n, 1n]) {
      const hex = (value + (sign << 255n)).toString(16).padStart(64, '0');
      assert.equal(parseSigningPublicKey(toBase64Url(fromHex(hex).toReversed())), undefined, hex);
    }
  assert.notEqual(
    parseSigningPublicKey(toBase64Url(fromHex('ecfeffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'))),
    undefined,
  );
});

test('parsing hostile keys and signatures never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 30, maxLength: 34 }), fc.uint8Array({ maxLength: 66 }), (raw, signature) => {
      const parsed = parseSigningPublicKey(toBase64Url(raw));
      if (parsed === undefined) assert.notEqual(raw.length, 32);
      else assert.equal(verifySignature(parsed, 'ringfence/frame/v1', raw, signature), false);
    }),
    { numRuns: 3000 },
  );
});
