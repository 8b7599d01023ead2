import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { newId, systemRng, toBase64Url, type AccountKeyId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ownCertificate } from '@ringfence/client/server-certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { signRequest } from '@ringfence/protocol/api';
import { exportJWK, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { missing } from '../../../../scripts/needs.ts';
import { cleanUp, ShiftedClock, startDatabase, startReplica, temporaryFolder } from '../control-plane.fixture.ts';
import { sendRaw } from '../http/raw-request.fixture.ts';
import { TestOrganisation, type Target } from '../organisation.fixture.ts';

test('service accounts', { skip: missing('full') }, async (t) => {
  const issuer = await startIssuer(t);
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const flags = ['--fetch-from', new URL(issuer.url).host, '--fetch-ca', issuer.caFile];
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock, flags });
  const { client } = await new TestOrganisation(clock).enrol(t, controlPlane);
  const names = { issuer: issuer.url, audience: 'ringfence', subject: 'repo:acme/train' };
  const claims = () => {
    const iat = Math.floor(clock.now() / 1000);
    const { issuer: iss, audience: aud, subject: sub } = names;
    return { iss, aud, sub, iat, exp: iat + 300, jti: newId('job', systemRng) };
  };
  const show = (token: string, key: SigningKey) => client.exchangeToken({ token, publicKey: key.publicKey });

  await t.test('a federated token, shown once, lets a key of the workload’s own sign', async () => {
    const { account } = await client.addServiceAccount({ roles: [{ role: 'read-only' }], federation: names });
    await assert.rejects(client.addServiceAccount({ roles: [{ role: 'auditor' }], federation: names }), {
      code: 'conflict',
    });
    const key = SigningKey.generate(systemRng);
    const token = await issuer.sign(claims());
    const shown = await show(token, key);
    assert.equal(shown.account, account);
    const ask = (path: string, method: 'GET' | 'POST' = 'GET') =>
      askAs(controlPlane, clock, { key, id: shown.key, method, path });
    assert.equal((await ask('/v1/jobs')).status, 200);
    assert.deepEqual([(await ask('/v1/audit')).status, (await ask('/v1/agents')).code], [403, 'not-authorised']);
    for (const path of ['/v1/account', '/v1/members', '/v1/sessions'])
      assert.equal((await ask(path)).code, 'not-authorised');
    await assert.rejects(show(token, SigningKey.generate(systemRng)), { code: 'not-authenticated' });
    assert.equal(
      (await askAs(controlPlane, clock, { key: SigningKey.generate(systemRng), id: shown.key, path: '/v1/jobs' }))
        .status,
      401,
    );
    clock.shift(3_600_001);
    assert.equal((await ask('/v1/jobs')).status, 401, 'an hour later it is nobody’s');
  });

  await t.test('of 64 who show one token at once, one gets in', async () => {
    const rounds = 20;
    for (let round = 0; round < rounds; round += 1) {
      const token = await issuer.sign(claims());
      const all = Array.from({ length: 64 }, () => show(token, SigningKey.generate(systemRng)));
      const won = (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled');
      assert.equal(won.length, 1);
      clock.shift(900_000);
    }
  });

  await t.test('a token of others, without a signature, of a shared key, or too old opens nothing', async () => {
    clock.shift(3_600_000);
    const bent = [
      await issuer.sign({ ...claims(), aud: 'another' }),
      await issuer.sign({ ...claims(), sub: 'repo:acme/other' }),
      await issuer.sign({ ...claims(), iss: 'https://127.0.0.1:9' }),
      await issuer.sign({ ...claims(), iat: Math.floor(clock.now() / 1000) - 640 }),
      new UnsecuredJWT(claims()).encode(),
      await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1)),
    ];
    const key = SigningKey.generate(systemRng);
    for (const token of bent) {
      clock.shift(1_000);
      await assert.rejects(show(token, key), { code: 'not-authenticated' });
    }
  });

  await t.test('a key without a token ends by itself, and with its account', async () => {
    const key = SigningKey.generate(systemRng);
    const roles = [{ role: 'read-only' as const }];
    const added = await client.addServiceAccount({ roles, key: { publicKey: key.publicKey, days: 90 } });
    const id = added.key ?? assert.fail();
    const ask = () => askAs(controlPlane, clock, { key, id, path: '/v1/jobs' });
    assert.equal((await ask()).status, 200);
    const again = client.addServiceAccount({ roles, key: { publicKey: key.publicKey, days: 1 } });
    await assert.rejects(again, { code: 'conflict' });
    await assert.rejects(client.addServiceAccount({ roles, key: { publicKey: key.publicKey, days: 91 } }), {
      code: 'bad-request',
    });
    assert.equal((await client.serviceAccounts()).length, 2);
    await client.removeServiceAccount(added.account);
    assert.equal((await ask()).status, 401);
  });
});

interface Asking {
  readonly key: SigningKey;
  readonly id: AccountKeyId;
  readonly path: string;
  readonly method?: 'GET' | 'POST';
}

async function askAs(target: Target, clock: ShiftedClock, { key, id, path, method = 'GET' }: Asking) {
  const headers = signRequest({ method, path, query: '?', body: new Uint8Array() }, key, {
    created: Math.floor(clock.now() / 1000),
    nonce: toBase64Url(systemRng.bytes(16)),
    signer: id,
  });
  const { status, text } = await sendRaw(target, { method, path, headers: { ...headers } });
  return { status, code: (JSON.parse(text) as { error?: { code: string } }).error?.code };
}

/** An issuer of tokens for workloads: what it publishes over HTTPS, and its signature. */
async function startIssuer(t: TestContext) {
  const state = temporaryFolder(t);
  const certificate = await ownCertificate({ state, names: ['127.0.0.1'], clock: systemClock, rng: systemRng });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256' };
  const key = Buffer.from(certificate.privateKeyPem.expose());
  const server = createServer({ cert: certificate.certificatePem, key }, (request, response) => {
    const page = { issuer: url, jwks_uri: `${url}/keys` };
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : page));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cleanUp(t, () => void server.close());
  const sign = (claims: JWTPayload) => new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
  return { url, caFile: certificate.caFile ?? '', sign };
}
