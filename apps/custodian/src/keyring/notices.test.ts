import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng, toBase64Url } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { SealPublicKey } from '@ringfence/crypto/seal';
import { SigningKey } from '@ringfence/crypto/sign';
import { noticesOf } from './change-keyring.ts';

test('the control plane hears of an agent with its tier and site as the keyring has them', () => {
  const rng = seededRng('notices');
  const [agent, site] = [newId('agent', rng), newId('site', rng)];
  const sign = SigningKey.generate(rng).publicKey;
  const tls = SigningKey.generate(rng).publicKey as unknown as TlsPublicKey;
  const seal = toBase64Url(rng.bytes(1_216)) as SealPublicKey;
  assert.deepEqual(
    noticesOf({ kind: 'add-agent', agent, site, tier: 'private', sign, tls, seal, allowProcess: false }, 7),
    [{ name: 'member', body: { op: 'add', id: agent, sign, keyringSeq: 7, tier: 'private', site } }],
  );
});
