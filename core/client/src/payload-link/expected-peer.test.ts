import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { expectKeys } from './expected-peer.ts';

const rng = seededRng('expected-peer');
const [first, second, stranger] = [0, 1, 2].map(() => TlsKey.generate(rng).publicKey);

test('allows the named keys and no other', () => {
  assert.ok(first !== undefined && second !== undefined && stranger !== undefined);
  const expect = expectKeys(first, second);
  assert.deepEqual(expect(first), { allow: true });
  assert.deepEqual(expect(second), { allow: true });
  assert.deepEqual(expect(stranger), { allow: false, reasons: ['key-not-expected'] });
  assert.equal(expectKeys()(first).allow, false);
});
