import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { durationMs, ManualClock, systemRng as rng } from '@ringfence/base';
import {
  checkCertificateRequest,
  createCertificateAuthority,
  createCertificateRequest,
  issueForRequest,
} from './index.ts';

const clock = new ManualClock();

test('a request becomes a chain for its own key, and for no other names than the issuer gives', async () => {
  const authority = await createCertificateAuthority({ clock, rng });
  const made = await createCertificateRequest(['gateway.test', '10.1.2.3']);
  const request = await checkCertificateRequest(made.requestPem, 16);
  assert.deepEqual(request.hosts, ['gateway.test', '10.1.2.3']);
  const hosts = ['end-abc.endpoint.ringfence.internal', ...request.hosts];
  const issued = await issueForRequest(authority, { request, hosts, clock, rng, lifetime: durationMs(86_400_000) });
  const leaf = new X509Certificate(issued.chainPem);
  assert.ok(leaf.verify(new X509Certificate(authority.certificatePem).publicKey));
  assert.equal(leaf.checkHost('end-abc.endpoint.ringfence.internal'), 'end-abc.endpoint.ringfence.internal');
  assert.equal(leaf.checkIP('10.1.2.3'), '10.1.2.3');
  assert.equal(leaf.checkHost('other.test'), undefined);
  assert.equal(leaf.validToDate.getTime(), issued.notAfter);
});

test('a request with a changed byte, a wildcard or too many names is refused', async () => {
  const { requestPem } = await createCertificateRequest(['gateway.test']);
  const der = Buffer.from(requestPem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 3] = (der[der.length - 3] ?? 0) ^ 1;
  const bent = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await assert.rejects(checkCertificateRequest(bent, 16), { code: 'bad-certificate' });
  await assert.rejects(checkCertificateRequest('nothing', 16), { code: 'bad-certificate' });
  await assert.rejects(checkCertificateRequest(requestPem, 0), { code: 'bad-certificate' });
  const wildcard = await createCertificateRequest(['*.test']);
  await assert.rejects(checkCertificateRequest(wildcard.requestPem, 16), { code: 'bad-certificate' });
});
