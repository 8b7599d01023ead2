import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { durationMs, ManualClock, seededRng } from '@ringfence/base';
import { SigningKey } from '../sign/signing-key.ts';
import { CertifyingKey } from './certifying-key.ts';
import { issueNamedCertificate, readNamedCertificate } from './named-certificate.ts';
import { selfSignedCertificate } from './self-signed.ts';
import { TlsKey, tlsPublicKeyOf } from './tls-key.ts';

const rng = seededRng('named certificate');
const clock = new ManualClock(1_893_553_445_678); // 2030-01-02T03:04:05.678Z
const signing = SigningKey.generate(rng);
const by = CertifyingKey.derive(signing);
const name = 'ringfence://org_a/agent/agt_b';
const key = TlsKey.generate(rng);
const issue = (over: { by?: CertifyingKey; name?: string } = {}): Promise<string> =>
  issueNamedCertificate(over.by ?? by, {
    name: over.name ?? name,
    key: key.publicKey,
    issuer: 'cus_c',
    lifetime: durationMs(3_600_000),
    clock,
    rng,
  });
const der = (pem: string): Uint8Array => new X509Certificate(pem).raw;

test('names whom it is for, carries the key, and says from when until when', async () => {
  const pem = await issue();
  const certificate = new X509Certificate(pem);
  assert.equal(tlsPublicKeyOf(certificate), key.publicKey);
  assert.equal(certificate.ca, false);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
  assert.equal(certificate.validFrom, 'Jan  2 03:02:05 2030 GMT');
  assert.equal(certificate.validTo, 'Jan  2 04:04:05 2030 GMT');
  const read = readNamedCertificate(by, der(pem));
  assert.equal(read?.name, name);
  assert.equal(read?.until, 1_893_557_045_000);
  assert.notEqual(new X509Certificate(await issue()).serialNumber, certificate.serialNumber);
});

test('the same signing key certifies with the same key, and another one with another', async () => {
  const pem = await issue();
  assert.ok(readNamedCertificate(CertifyingKey.derive(signing), der(pem)));
  assert.equal(readNamedCertificate(CertifyingKey.derive(SigningKey.generate(rng)), der(pem)), undefined);
  assert.equal(JSON.stringify({ by }), '{"by":"[secret]"}');
});

test('what this key did not sign, or does not name one party, says nothing', async () => {
  const own = await selfSignedCertificate({ key, clock, rng });
  assert.equal(readNamedCertificate(by, der(own.certificatePem)), undefined);
  const forged = await issue({ by: CertifyingKey.derive(SigningKey.generate(rng)) });
  assert.equal(readNamedCertificate(by, der(forged)), undefined);
  assert.equal(readNamedCertificate(by, new Uint8Array(7)), undefined);
  const two = await issue({ name: 'ringfence://org_a/agent/agt_b, URI:ringfence://org_a/agent/agt_c' });
  assert.equal(readNamedCertificate(by, der(two)), undefined);
});

test('no byte of a certificate can be changed', async () => {
  const raw = der(await issue());
  let read = 0;
  for (let at = 0; at < raw.length; at += 1) {
    const bent = Uint8Array.from(raw);
    bent[at] = (bent[at] ?? 0) ^ (1 << (at % 8));
    if (readNamedCertificate(by, bent) !== undefined) read += 1;
  }
  assert.equal(read, 0);
});
