import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import type { TokenAlgorithm } from '@ringfence/protocol/api';
import { exportJWK, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import type { AllowedFetch } from './allowed-fetch.ts';
import { signedOn, signOnUrl, type CodeFlow } from './code-flow.ts';
import { ProviderClients } from './provider-client.ts';

const issuer = 'https://provider.example';
const clientId = 'ringfence';
const secret = 'a shared secret of more than 256 bits, which HMAC could use';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const flow: CodeFlow = {
  redirectUri: 'https://localhost:8443/account/signed-on',
  state: 'cer_a.state',
  nonce: 'the nonce of this sign-on',
  verifier: 'v'.repeat(43),
  maxAgeS: 900,
  acr: null,
};
const honestSearch = `?code=abc&state=${flow.state}&iss=${encodeURIComponent(issuer)}`;
const claimsAt = (nowS: number) => ({
  sub: 'anna',
  nonce: flow.nonce,
  auth_time: nowS - 30,
  iss: issuer,
  aud: clientId,
  iat: nowS,
  exp: nowS + 60,
});
let nowS = 0;
let claims = claimsAt(nowS);

const signed = (alg: string, key: KeyObject | Uint8Array, change: Partial<Record<keyof typeof claims, unknown>> = {}) =>
  new SignJWT({ ...claims, ...change } as JWTPayload).setProtectedHeader({ alg }).sign(key);

/** A provider in memory that hands out `token`, and what it was asked. */
function providerOf(token: () => Promise<string> | string, metadata: object = {}) {
  const asked: { path: string; body: string }[] = [];
  const fetch: AllowedFetch = async (text, { body } = {}) => {
    const { pathname } = new URL(text);
    asked.push({ path: pathname, body: String(body) });
    const answers: Record<string, () => Promise<unknown>> = {
      '/.well-known/openid-configuration': async () => ({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256', 'ES256'],
        ...metadata,
      }),
      '/jwks': async () => ({ keys: [await exportJWK(publicKey), await exportJWK(rsa.publicKey)] }),
      '/token': async () => ({ access_token: 'x', token_type: 'Bearer', id_token: await token() }),
    };
    return Response.json((await answers[pathname]?.()) ?? assert.fail(pathname));
  };
  const clients = new ProviderClients(fetch, systemClock);
  const client = (algorithms: readonly TokenAlgorithm[] = ['ES256']) =>
    clients.client({ issuer, clientId, secret, algorithms });
  return { asked, client, clients };
}

async function tried(token: () => Promise<string> | string, change: Partial<CodeFlow> = {}, search = honestSearch) {
  const config = await providerOf(token).client();
  return signedOn(config, { ...flow, ...change }, search);
}

describe('signing on', () => {
  // The library reads the clock itself: each test is of now, however long those before it took.
  beforeEach(() => {
    nowS = Math.floor(systemClock.now() / 1000);
    claims = claimsAt(nowS);
  });

  it('goes to the provider with PKCE, state and nonce, asks for openid alone, and believes an honest token', async () => {
    const { asked, client } = providerOf(() => signed('ES256', privateKey));
    const config = await client();
    const url = new URL(await signOnUrl(config, flow));
    const { searchParams } = url;
    assert.equal(url.origin, issuer);
    assert.deepEqual(
      ['scope', 'code_challenge_method', 'state', 'nonce', 'redirect_uri', 'max_age', 'response_type'].map((name) =>
        searchParams.get(name),
      ),
      ['openid', 'S256', flow.state, flow.nonce, flow.redirectUri, '900', 'code'],
    );
    assert.notEqual(searchParams.get('code_challenge'), flow.verifier);
    const who = await signedOn(config, flow, honestSearch);
    assert.deepEqual(who, { allow: true, who: { subject: 'anna', at: (nowS - 30) * 1000, acr: undefined } });
    const redeemed = new URLSearchParams(asked.find(({ path }) => path === '/token')?.body);
    assert.deepEqual([redeemed.get('code_verifier'), redeemed.get('redirect_uri')], [flow.verifier, flow.redirectUri]);
  });

  it('takes no metadata in which a provider calls itself another issuer than was asked, and goes no further', async () => {
    const others = ['https://other.example', `${issuer}.other.example`, `${issuer}/tenant`, 7, undefined];
    for (const other of others) {
      const { asked, client, clients } = providerOf(() => signed('ES256', privateKey), { issuer: other });
      await assert.rejects(client(), { code: 'unavailable' }, String(other));
      await assert.rejects(clients.assertProvider({ issuer, algorithms: ['ES256'] }), { code: 'unavailable' });
      assert.deepEqual(
        asked.map(({ path }) => path),
        ['/.well-known/openid-configuration'],
      );
    }
    const { clients } = providerOf(() => signed('ES256', privateKey), { issuer: `${issuer}/` });
    const spelledOtherwise = clients.assertProvider({ issuer, algorithms: ['ES256'] });
    await assert.rejects(spelledOtherwise, { code: 'bad-request', next: /letter by letter/ });
  });

  it('believes no token without a signature, of a shared key, of an algorithm that is not pinned, or of another key', async () => {
    const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }));
    const tokens: [string, () => Promise<string> | string][] = [
      ['none', () => new UnsecuredJWT(claims).encode()],
      ['HMAC with the client’s secret', () => signed('HS256', Buffer.from(secret))],
      ['HMAC with the public key', () => signed('HS256', pem)],
      ['RS256, which is not pinned', () => signed('RS256', rsa.privateKey)],
      ['another key', () => signed('ES256', another)],
    ];
    for (const [name, token] of tokens) assert.equal((await tried(token)).allow, false, name);
    const both = await providerOf(() => signed('RS256', rsa.privateKey)).client(['ES256', 'RS256']);
    assert.equal((await signedOn(both, flow, honestSearch)).allow, true);
    const none = await providerOf(() => new UnsecuredJWT(claims).encode()).client(['ES256', 'RS256']);
    assert.equal((await signedOn(none, flow, honestSearch)).allow, false);
  });

  it('believes no token for somebody else, of somebody else, of another sign-on, or too old', async () => {
    const changes: Partial<Record<keyof typeof claims, unknown>>[] = [
      { aud: 'another client' },
      { iss: 'https://provider.example.org' },
      { nonce: 'another nonce' },
      { nonce: undefined },
      { exp: nowS - 600 },
      { auth_time: nowS - 2_000 },
      { auth_time: undefined },
      { sub: undefined },
    ];
    for (const change of changes) {
      const result = await tried(() => signed('ES256', privateKey, change));
      assert.equal(result.allow, false, JSON.stringify(change));
    }
  });

  it('redeems no code that came with another state, from another issuer, or with no word of whose it is', async () => {
    const honest = () => signed('ES256', privateKey);
    const searches = [
      `?code=abc&state=cer_b.state&iss=${encodeURIComponent(issuer)}`,
      `?code=abc&iss=${encodeURIComponent(issuer)}`,
      `?code=abc&state=${flow.state}&iss=${encodeURIComponent('https://other.example')}`,
      `?code=abc&state=${flow.state}`,
      `?error=access_denied&state=${flow.state}&iss=${encodeURIComponent(issuer)}`,
      `${honestSearch}&state=${flow.state}`,
      '',
    ];
    for (const search of searches) assert.equal((await tried(honest, {}, search)).allow, false, search);
  });
});
