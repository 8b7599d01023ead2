import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ownCertificate } from '@ringfence/client/server-certificate';
import { cleanUp, temporaryFolder } from '../control-plane.fixture.ts';
import { allowedFetch } from './allowed-fetch.ts';

test('a provider is fetched from only where it was listed, and only so much', async (t) => {
  const state = temporaryFolder(t);
  const certificate = await ownCertificate({ state, names: ['127.0.0.1'], clock: systemClock, rng: systemRng });
  const key = Buffer.from(certificate.privateKeyPem.expose());
  const asked: string[] = [];
  const server = createServer({ cert: certificate.certificatePem, key }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === '/away') return void response.writeHead(302, { location: 'https://127.0.0.1:9/' }).end();
    response.end(request.url === '/large' ? Buffer.alloc(300_000) : '{"ok":true}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(t, () => void server.close());
  const { port } = server.address() as AddressInfo;
  const [host, url] = [`127.0.0.1:${port}`, `https://127.0.0.1:${port}`];
  const ca = [readFileSync(certificate.caFile ?? '', 'utf8')];
  const fetch = allowedFetch({ hosts: [host], ca });

  assert.deepEqual(await (await fetch(`${url}/page`)).json(), { ok: true });
  assert.equal((await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams({ code: 'x' }) })).status, 200);
  const away = await fetch(`${url}/away`);
  assert.equal(away.status, 302, 'a redirect is an answer, and is not followed');
  await assert.rejects(fetch(`${url}/large`), { code: 'unavailable' });
  const before = asked.length;
  const elsewhere = [
    `http://${host}/`,
    `https://localhost:${port}/`,
    'https://127.0.0.1/',
    `https://a@${host}/`,
    'https://169.254.169.254/',
  ];
  const notListed = { code: 'unavailable', message: 'this control plane may not fetch from there' };
  for (const text of elsewhere) await assert.rejects(fetch(text), notListed, text);
  await assert.rejects(allowedFetch({ hosts: [], ca })(url), notListed);
  await assert.rejects(allowedFetch({ hosts: [host] })(url), { code: 'unavailable' }, 'its authority is not trusted');
  assert.equal(asked.length, before);
});
