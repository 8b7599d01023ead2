import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { epochMs, type Clock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { exportJWK, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import type { AllowedFetch } from '../sign-on/allowed-fetch.ts';
import { FederatedIssuers, namesOf } from './federated-token.ts';

const names = { issuer: 'https://runner.example', audience: 'ringfence', subject: 'repo:acme/train:main' };
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const nowS = 1_800_000_000;
const stopped: Clock = { ...systemClock, now: () => epochMs(nowS * 1000) };
const claims = { iss: names.issuer, aud: names.audience, sub: names.subject, iat: nowS, exp: nowS + 300, jti: 'once' };

const signed = (alg: string, key: KeyObject | Uint8Array, change: Record<string, unknown> = {}) =>
  new SignJWT({ ...claims, ...change } as JWTPayload).setProtectedHeader({ alg }).sign(key);

function issuers(clock: Clock = stopped, published = [publicKey]) {
  let asked = 0;
  const fetch: AllowedFetch = async (url) => {
    asked += 1;
    if (url === `${names.issuer}/.well-known/openid-configuration`)
      return Response.json({ issuer: names.issuer, jwks_uri: `${names.issuer}/keys` });
    return Response.json({ keys: await Promise.all(published.map((key) => exportJWK(key))) });
  };
  return { known: new FederatedIssuers(fetch, clock), asked: () => asked, published };
}

const tried = async (token: string, of = names) => (await issuers().known.verify(token, of)).allow;

describe('a federated token', () => {
  it('names an issuer, one audience and a subject, and says until when it counts', async () => {
    const token = await signed('ES256', privateKey);
    assert.deepEqual(namesOf(token), names);
    const verified = await issuers().known.verify(token, names);
    assert.deepEqual(verified, { allow: true, token: { id: 'once', notAfter: (claims.exp + 30) * 1000 } });
    assert.equal(namesOf(await signed('ES256', privateKey, { aud: ['ringfence', 'another'] })), undefined);
    assert.equal(namesOf(await signed('ES256', privateKey, { sub: undefined })), undefined);
    assert.equal(namesOf('a.b.c'), undefined);
  });

  it('is refused without a signature, of a shared key, or of another key', async () => {
    assert.equal(await tried(await signed('ES256', privateKey)), true);
    const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }));
    assert.equal(await tried(new UnsecuredJWT(claims).encode()), false, 'none');
    assert.equal(await tried(await signed('HS256', pem)), false, 'HMAC with the public key');
    assert.equal(await tried(await signed('ES256', another)), false, 'another key');
  });

  it('is refused when it is of other names, older than ten minutes, of the future, or cannot be spent', async () => {
    const changes = [
      { iss: 'https://runner.example.org' },
      { aud: 'another' },
      { aud: ['another', 'third'] },
      { sub: 'repo:acme/train:main2' },
      { sub: 'REPO:acme/train:main' },
      { iat: nowS - 640 },
      { iat: nowS + 120 },
      { iat: undefined },
      { exp: nowS - 60 },
      { exp: undefined },
      { jti: undefined },
      { jti: '' },
    ];
    for (const change of changes)
      assert.equal(await tried(await signed('ES256', privateKey, change)), false, JSON.stringify(change));
  });

  it('is verified with new keys of its issuer, which is asked no oftener than each half minute', async () => {
    let passed = 0;
    const clock = { ...stopped, now: () => epochMs(stopped.now() + passed) };
    const { known, asked, published } = issuers(clock);
    const renewed = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const token = await signed('ES256', renewed.privateKey);
    assert.equal((await known.verify(token, names)).allow, false);
    published[0] = renewed.publicKey;
    assert.equal((await known.verify(token, names)).allow, false);
    assert.equal(asked(), 2);
    passed = 31_000;
    assert.equal((await known.verify(token, names)).allow, true);
    assert.equal(asked(), 4);
  });
});
