import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Secret, seededRng, utf8 } from '@ringfence/base';
import { checkProof, proveCode } from './join-proof.ts';

test('only the secret and the transcript of the proof pass', () => {
  const rng = seededRng('join-proof');
  const secret = new Secret(rng.bytes(16));
  const proof = proveCode(secret, utf8('transcript'));
  const expected = createHmac('sha256', secret.expose()).update('ringfence/join-proof/v1\0transcript').digest();
  assert.deepEqual(proof, expected);
  assert.ok(checkProof(secret, utf8('transcript'), proof));
  assert.equal(checkProof(secret, utf8('transcripT'), proof), false);
  assert.equal(checkProof(new Secret(rng.bytes(16)), utf8('transcript'), proof), false);
  assert.equal(checkProof(secret, utf8('transcript'), proof.subarray(1)), false);
  for (let at = 0; at < proof.length; at += 1) {
    const broken: Uint8Array = Uint8Array.from(proof);
    broken[at] = (broken[at] ?? 0) ^ 1;
    assert.equal(checkProof(secret, utf8('transcript'), broken), false);
  }
});
