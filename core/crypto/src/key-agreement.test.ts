import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concatBytes, fromHex, seededRng, toHex } from '@ringfence/base';
import {
  mlKemDecapsulate,
  mlKemEncapsulate,
  mlKemPrivateKey,
  rawPublicKey,
  x25519PrivateKey,
  x25519Secret,
} from './key-agreement.ts';

const rng = seededRng('key-agreement');

test('X25519: the key agreement of RFC 7748 §6.1', () => {
  const alice = x25519PrivateKey(fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'));
  const bob = x25519PrivateKey(fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
  assert.equal(toHex(rawPublicKey(alice)), '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
  assert.equal(toHex(rawPublicKey(bob)), 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
  const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
  assert.equal(toHex(x25519Secret(alice, rawPublicKey(bob))), shared);
  assert.equal(toHex(x25519Secret(bob, rawPublicKey(alice))), shared);
});

test('X25519: points that would fix the secret are refused', () => {
  const smallOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ];
  for (const point of smallOrder)
    assert.throws(() => x25519Secret(x25519PrivateKey(rng.bytes(32)), fromHex(point)), { code: 'bad-key' }, point);
  for (const length of [0, 31, 33])
    assert.throws(() => x25519Secret(x25519PrivateKey(rng.bytes(32)), rng.bytes(length)), { code: 'bad-key' });
});

/**
 * The accumulated ML-KEM-768 vector of C2SP/CCTV: keys, encapsulations and implicit rejections of a random stream, all
 * hashed together. node:crypto draws its own randomness, so another implementation encapsulates and ours does the rest.
 */
test('ML-KEM-768: the accumulated vector of 100 keys, ciphertexts and rejections', () => {
  const stream = createHash('shake128', { outputLength: 100 * (64 + 32 + 1088) }).digest();
  const output = createHash('shake128', { outputLength: 32 });
  for (let at = 0; at < stream.length; at += 1184) {
    const key = mlKemPrivateKey(stream.subarray(at, at + 64));
    const encapsulationKey = rawPublicKey(key);
    const made = ml_kem768.encapsulate(encapsulationKey, stream.subarray(at + 64, at + 96));
    assert.deepEqual(mlKemDecapsulate(key, made.cipherText), Buffer.from(made.sharedSecret));
    const rejected = mlKemDecapsulate(key, stream.subarray(at + 96, at + 1184));
    output.update(encapsulationKey).update(made.cipherText).update(made.sharedSecret).update(rejected);
  }
  assert.equal(output.digest('hex'), '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415');
});

test('ML-KEM-768: another implementation opens what ours encapsulates', () => {
  for (let run = 0; run < 10; run += 1) {
    const { publicKey, secretKey } = ml_kem768.keygen(rng.bytes(64));
    const { secret, ciphertext } = mlKemEncapsulate(publicKey);
    assert.deepEqual(Buffer.from(ml_kem768.decapsulate(ciphertext, secretKey)), Buffer.from(secret));
  }
});

test('ML-KEM-768: keys that are not reduced, and wrong lengths, are refused', () => {
  const good = rawPublicKey(mlKemPrivateKey(rng.bytes(64)));
  const unreduced = Uint8Array.from(good);
  unreduced.set([0xff, 0xff, 0xff]);
  for (const key of [unreduced, good.subarray(1), concatBytes(good, new Uint8Array(1)), new Uint8Array(0)])
    assert.throws(() => mlKemEncapsulate(key), { code: 'bad-key' });
  for (const length of [0, 1087, 1089])
    assert.throws(() => mlKemDecapsulate(mlKemPrivateKey(rng.bytes(64)), rng.bytes(length)), { code: 'bad-key' });
});
