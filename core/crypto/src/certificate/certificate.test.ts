import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer, type ConnectionOptions, type TlsOptions, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { durationMs, ManualClock, seededRng, Secret, toBase64Url, type Clock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { createCertificateAuthority, issueServerCertificate } from './certificate-authority.ts';
import { certificateFingerprint } from './fingerprint.ts';
import { selfSignedCertificate, type TlsIdentity } from './self-signed.ts';
import { parseTlsPublicKey, TlsKey, tlsPublicKeyOf } from './tls-key.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const rng = seededRng('certificate');
const identityOf = (key: TlsKey, clock: Clock = systemClock): Promise<TlsIdentity> =>
  selfSignedCertificate({ key, clock, rng });

test('TLS 1.3 with Ed25519 certificates on both sides, each naming the other', async () => {
  const [serverKey, clientKey] = [TlsKey.generate(rng), TlsKey.generate(rng)];
  const [server, client] = [await identityOf(serverKey), await identityOf(clientKey)];
  const seen = await handshake(
    { ...pem(server), requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' },
    { ...pem(client), rejectUnauthorized: false, minVersion: 'TLSv1.3' },
  );
  assert.equal(seen.protocol, 'TLSv1.3');
  assert.equal(seen.serverSaw, clientKey.publicKey);
  assert.equal(seen.clientSaw, serverKey.publicKey);
});

test('an ordinary client accepts the authority by name and address, and no other name', async () => {
  const authority = await createCertificateAuthority({ clock: systemClock, rng });
  const issued = await issueServerCertificate(authority, {
    hosts: ['control.test', '127.0.0.1'],
    clock: systemClock,
    rng,
  });
  const seen = await handshake(pem(issued), { ca: authority.certificatePem, servername: 'control.test' });
  assert.equal(seen.authorized, true);
  await handshake(pem(issued), { ca: authority.certificatePem });
  await assert.rejects(handshake(pem(issued), { ca: authority.certificatePem, servername: 'other.test' }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  const stranger = await createCertificateAuthority({ clock: systemClock, rng });
  await assert.rejects(handshake(pem(issued), { ca: stranger.certificatePem, servername: 'control.test' }));
});

test('a leaf cannot act as an authority', async () => {
  const authority = await createCertificateAuthority({ clock: systemClock, rng });
  const options = { hosts: ['a.test'], clock: systemClock, rng };
  const leaf = await issueServerCertificate(authority, options);
  const forged = await issueServerCertificate(leaf, { ...options, hosts: ['b.test'] });
  await assert.rejects(handshake(pem(forged), { ca: authority.certificatePem, servername: 'b.test' }));
});

test('validity, names and constraints stand in the certificate', async () => {
  const clock = new ManualClock(1_893_553_445_678); // 2030-01-02T03:04:05.678Z
  const authority = await createCertificateAuthority({ clock, rng });
  const ca = new X509Certificate(authority.certificatePem);
  assert.equal(ca.ca, true);
  assert.ok(ca.verify(ca.publicKey));
  const { certificatePem } = await issueServerCertificate(authority, {
    hosts: ['a.test', '10.0.0.1', '::1'],
    clock,
    rng,
    lifetime: durationMs(3_600_000),
  });
  const leaf = new X509Certificate(certificatePem);
  assert.equal(leaf.ca, false);
  assert.ok(leaf.verify(ca.publicKey) && leaf.checkIssued(ca));
  assert.equal(leaf.subjectAltName, 'DNS:a.test, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  assert.equal(leaf.validFrom, 'Jan  1 03:04:05 2030 GMT');
  assert.equal(leaf.validTo, 'Jan  2 04:04:05 2030 GMT');
  const own = new X509Certificate((await identityOf(TlsKey.generate(rng), clock)).certificatePem);
  assert.equal(own.validTo, 'Dec 31 23:59:59 9999 GMT');
  assert.ok(own.verify(own.publicKey));
});

test('refuses a server certificate for nobody and an unreadable authority', async () => {
  const authority = await createCertificateAuthority({ clock: systemClock, rng });
  const options = { hosts: ['a.test'], clock: systemClock, rng };
  await assert.rejects(issueServerCertificate(authority, { ...options, hosts: [] }), { code: 'bad-certificate' });
  const broken = { ...authority, privateKeyPem: new Secret(Buffer.from('nonsense')) };
  await assert.rejects(issueServerCertificate(broken, options), { code: 'bad-certificate' });
});

test('only Ed25519 certificates name a TLS identity', async () => {
  const authority = await createCertificateAuthority({ clock: systemClock, rng });
  const key = TlsKey.generate(rng);
  const { raw } = new X509Certificate((await identityOf(key)).certificatePem);
  assert.equal(tlsPublicKeyOf(raw), key.publicKey);
  assert.equal(tlsPublicKeyOf(new X509Certificate(authority.certificatePem)), undefined);
  assert.equal(certificateFingerprint(raw), createHash('sha256').update(raw).digest('hex'));
  assert.throws(() => certificateFingerprint(new Uint8Array(9)), { code: 'bad-certificate' });
});

test('broken certificates give no identity and do not throw', async () => {
  const { raw } = new X509Certificate((await identityOf(TlsKey.generate(rng))).certificatePem);
  fc.assert(
    fc.property(fc.nat(raw.length - 1), fc.nat(255), fc.nat(raw.length), (at, value, length) => {
      const broken = Buffer.from(raw).subarray(0, length);
      if (at < length) broken[at] = value;
      const named = tlsPublicKeyOf(broken);
      if (named !== undefined) assert.equal(parseTlsPublicKey(named), named);
    }),
    { numRuns: CASES },
  );
});

test('keys and their stored form', () => {
  const key = TlsKey.generate(rng);
  assert.equal(TlsKey.fromSeed(key.seed()).publicKey, key.publicKey);
  assert.throws(() => TlsKey.fromSeed(new Secret(new Uint8Array(31))), { code: 'bad-key' });
  assert.equal(parseTlsPublicKey(key.publicKey), key.publicKey);
  assert.equal(parseTlsPublicKey(toBase64Url(new Uint8Array(32))), undefined);
  assert.equal(parseTlsPublicKey(`${'A'.repeat(42)}B`), undefined);
});

function pem(identity: TlsIdentity): { cert: string; key: Buffer } {
  return { cert: identity.certificatePem, key: Buffer.from(identity.privateKeyPem.expose()) };
}

interface Seen {
  readonly protocol: string | null;
  readonly authorized: boolean;
  readonly serverSaw: string | undefined;
  readonly clientSaw: string | undefined;
}

async function handshake(serverOptions: TlsOptions, clientOptions: ConnectionOptions): Promise<Seen> {
  const server = createServer(serverOptions).on('tlsClientError', () => {});
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const client = connect({ ...clientOptions, host: '127.0.0.1', port });
    try {
      await once(client, 'secureConnect');
      const [peer] = await accepted;
      const seen = {
        protocol: client.getProtocol(),
        authorized: client.authorized,
        serverSaw: identityAt(peer),
        clientSaw: identityAt(client),
      };
      peer.destroy();
      return seen;
    } finally {
      client.destroy();
    }
  } finally {
    server.close();
  }
}

function identityAt(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : tlsPublicKeyOf(certificate);
}
