import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { systemRng } from '@ringfence/base';
import { ManualClock, type Clock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import {
  certificateFingerprint,
  createCertificateAuthority,
  issueServerCertificate,
  type CertificateAuthority,
} from '@ringfence/crypto/certificate';
import { connectionError } from '../connection-error.ts';
import { outerTls, type OuterTrust } from './outer-tls.ts';

const rng = systemRng;

async function authority(clock: Clock = systemClock): Promise<CertificateAuthority> {
  return createCertificateAuthority({ clock, rng });
}

/** A TLS server on the loopback interface that answers HTTP and counts the application bytes that it got. */
async function serve(t: TestContext, identity: CertificateAuthority): Promise<{ url: string; received: () => number }> {
  let received = 0;
  const options = { cert: identity.certificatePem, key: Buffer.from(identity.privateKeyPem.expose()) };
  const server = createTlsServer(options, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => received };
}

async function issue(by: CertificateAuthority, host = '127.0.0.1', clock: Clock = systemClock) {
  return issueServerCertificate(by, { hosts: [host], clock, rng });
}

/** The status of one real request with `trust`, or the ClientError code of what went wrong. */
async function ask(url: string, trust: OuterTrust, host = '127.0.0.1'): Promise<number | string> {
  try {
    const target = new URL(url);
    target.hostname = host;
    const options = await outerTls({ ...trust, url: target.origin, clock: systemClock });
    return await new Promise((resolve, reject) => {
      request(target, { ...options, agent: false }, (response) => resolve(response.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
  } catch (error) {
    return connectionError(error).code;
  }
}

async function caFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'outer-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), text);
  return join(folder, 'ca.pem');
}

test('a server of the CA file is trusted, another one is not', async (t) => {
  const [ours, other] = [await authority(), await authority()];
  const server = await serve(t, await issue(ours));
  assert.equal(await ask(server.url, { caFile: await caFile(t, ours.certificatePem) }), 200);
  const both = await caFile(t, `${other.certificatePem}some words\n${ours.certificatePem}`);
  assert.equal(await ask(server.url, { caFile: both }), 200);
  const files = [await caFile(t, other.certificatePem), await caFile(t, ours.certificatePem)];
  assert.equal(await ask(server.url, { caFile: files }), 200, 'one of several files');
  const before = server.received();
  assert.equal(await ask(server.url, { caFile: await caFile(t, other.certificatePem) }), 'untrusted-server');
  assert.equal(await ask(server.url, {}), 'untrusted-server', "the system's authorities do not know it");
  assert.equal(server.received(), before, 'nothing was sent');
});

test('a pinned authority is trusted, another one is not, and looking sends nothing', async (t) => {
  const [ours, other] = [await authority(), await authority()];
  const server = await serve(t, await issue(ours));
  const pin = certificateFingerprint(ours.certificatePem);
  assert.equal(await ask(server.url, { pin: certificateFingerprint(other.certificatePem) }), 'untrusted-server');
  assert.equal(server.received(), 0);
  assert.equal(await ask(server.url, { pin }), 200);
  assert.equal(
    await ask(server.url, { pin: pin.toUpperCase().replace(/(..)(?=.)/g, '$1:') }),
    200,
    'as openssl prints it',
  );
});

test('showing the pinned certificate beside a chain of its own gains an impostor nothing', async (t) => {
  const [ours, impostor] = [await authority(), await authority()];
  const pin = certificateFingerprint(ours.certificatePem);
  const forged = await issue(impostor);
  const leaf = forged.certificatePem.split(/(?<=-----END CERTIFICATE-----\n)/)[0] ?? '';
  for (const certificatePem of [leaf + ours.certificatePem, forged.certificatePem + ours.certificatePem]) {
    const server = await serve(t, { ...forged, certificatePem });
    assert.equal(await ask(server.url, { pin }), 'untrusted-server');
    assert.equal(server.received(), 0);
  }
});

test('a leaf that the pinned authority issued must carry the name and be valid', async (t) => {
  const ours = await authority(new ManualClock(systemClock.now() - 800 * 86_400_000));
  const pin = certificateFingerprint(ours.certificatePem);
  const otherName = await serve(t, await issue(ours, 'elsewhere.test'));
  assert.equal(await ask(otherName.url, { pin }), 'untrusted-server');
  assert.equal(await ask(otherName.url, { pin }, 'localhost'), 'untrusted-server');
  const expired = await serve(t, await issue(ours, '127.0.0.1', new ManualClock(systemClock.now() - 500 * 86_400_000)));
  assert.equal(await ask(expired.url, { pin }), 'untrusted-server');
  const good = await serve(t, await issue(ours));
  assert.equal(await ask(good.url, { pin }), 200);
  assert.deepEqual([otherName.received(), expired.received()], [0, 0]);
});

test('a leaf of the pinned authority does not act as an authority', async (t) => {
  const ours = await authority();
  const leaf = await issue(ours);
  const forged = await issue(leaf);
  const chain = `${forged.certificatePem}${ours.certificatePem}`;
  const server = await serve(t, { ...forged, certificatePem: chain });
  assert.equal(await ask(server.url, { pin: certificateFingerprint(ours.certificatePem) }), 'untrusted-server');
});

test('unusable trust and URLs are refused with the next step', async (t) => {
  const empty = await caFile(t, 'nothing here');
  const url = 'https://127.0.0.1:1';
  const cases: [Parameters<typeof outerTls>[0], string][] = [
    [{ url, clock: systemClock, caFile: empty }, 'bad-trust'],
    [{ url, clock: systemClock, caFile: `${empty}.missing` }, 'bad-trust'],
    [{ url, clock: systemClock, pin: 'abc' }, 'bad-trust'],
    [{ url: 'http://127.0.0.1:1', clock: systemClock }, 'bad-url'],
    [{ url: 'https://127.0.0.1:1/path', clock: systemClock }, 'bad-url'],
    [{ url: 'https://user:secret@127.0.0.1:1', clock: systemClock }, 'bad-url'],
    [{ url: 'nonsense', clock: systemClock }, 'bad-url'],
    [{ url, clock: systemClock, pin: 'a'.repeat(64) }, 'unreachable'],
  ];
  for (const [options, code] of cases)
    await assert.rejects(outerTls(options), (error: { code: string; message: string; next?: string }) => {
      assert.equal(error.code, code, options.url);
      assert.ok(error.next !== undefined && !error.message.includes('secret'));
      return true;
    });
});

test('a server that never answers the handshake is given up', async (t) => {
  const { createServer } = await import('node:net');
  const accepted = Promise.withResolvers<void>();
  const silent = createServer(() => accepted.resolve());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const clock = new ManualClock();
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const attempt = outerTls({ url, clock, pin: 'b'.repeat(64) });
  await accepted.promise;
  clock.advance(10_000);
  await assert.rejects(attempt, { code: 'timed-out' });
});
