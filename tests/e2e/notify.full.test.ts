// A webhook hears of a job's end by HTTPS, signed, again until it takes it, and across a death of the custodian.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { createCertificateAuthority, issueServerCertificate } from '@ringfence/crypto/certificate';
import { startHouse, type House } from '../../scripts/house/index.ts';

interface Heard {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const root = mkdtempSync(join(tmpdir(), 'ringfence-notify-'));
const secret = randomBytes(32);
const heard: Heard[] = [];
/** Statuses of the next answers; 204 when there are none left. */
const answers: number[] = [];
let house: House;
let server: Server;

before(async () => {
  const ca = await createCertificateAuthority({ clock, rng });
  const own = await issueServerCertificate(ca, { hosts: ['127.0.0.1'], clock, rng });
  server = createServer(
    { cert: own.certificatePem, key: Buffer.from(own.privateKeyPem.expose()) },
    (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.once('end', () => {
        heard.push({ url: request.url, headers: request.headers, body });
        const status = answers.shift() ?? 204;
        response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  writeFileSync(join(root, 'ca.pem'), ca.certificatePem);
  writeFileSync(join(root, 'secret'), `whsec_${secret.toString('base64')}\n`, { mode: 0o600 });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/hook?for=us`;
  writeFileSync(join(root, 'webhooks.json'), JSON.stringify([{ url, secretFile: 'secret', caFile: 'ca.pem' }]));
  const env = { custodian: { RINGFENCE_WEBHOOKS: join(root, 'webhooks.json') } };
  house = await startHouse({ root: join(root, 'house'), agents: 1, env });
  mkdirSync(join(root, 'empty'));
});

after(async () => {
  await house?.stop();
  server?.close();
  rmSync(root, { recursive: true, force: true });
});

async function launch(name: string, run: string, notify: string): Promise<void> {
  const file = join(root, `${name}.yaml`);
  writeFileSync(file, `name: ${name}\nworkdir: empty\nrun: ${run}\nnotify: {on: [${notify}]}\n`);
  const { stderr } = await house.cli(['launch', '-y', file]);
  assert.doesNotMatch(stderr, /not-yet|usage/, stderr);
}

test('each end that was asked for is told once, signed, without the name', async () => {
  await launch('wins', 'echo ran', 'succeeded');
  await launch('quiet', 'echo ran', 'failed');
  await launch('loses', 'exit 3', 'failed, succeeded');
  await until(() => heard.length >= 2, 'two notices arrive');
  const told = heard.map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, string> });
  assert.deepEqual(
    told.map(({ type }) => type),
    ['job.succeeded', 'job.failed'],
  );
  assert.deepEqual(Object.keys(told[0]?.data ?? {}), ['job', 'state', 'outcome']);
  for (const { headers, body, url } of heard) {
    assert.equal(url, '/hook?for=us');
    assert.ok(!body.includes('wins') && !body.includes('loses'));
    const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
    assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`);
  }
});

test('what was not taken is told again under the same id, after the death of the custodian too; a redirect is not followed', async () => {
  heard.length = 0;
  answers.push(302);
  await launch('again', 'echo ran', 'succeeded');
  await until(() => heard.length === 1, 'the first try arrives');
  await house.kill('custodian');
  await house.restart('custodian');
  await until(() => heard.length === 2, 'the second try arrives');
  assert.equal(heard[0]?.headers['webhook-id'], heard[1]?.headers['webhook-id']);
  assert.equal(heard[1]?.url, '/hook?for=us');
});
