import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { connect, createServer, type ConnectionOptions, type Server, type TLSSocket } from 'node:tls';
import { seededRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { createLinkIdentity, storedLinkIdentity } from './link-identity.ts';
import { linkPeerKey, linkTlsOptions } from './link-tls.ts';

const rng = seededRng('link-tls');
const [server, client] = await Promise.all(
  [0, 1].map(() => createLinkIdentity({ key: TlsKey.generate(rng), clock: systemClock, rng })),
);
assert.ok(server !== undefined && client !== undefined);

/** One handshake in memory: both ends, once the server has seen the client's answer. */
async function handshake(tls: Server, options: ConnectionOptions): Promise<{ near: TLSSocket; far: TLSSocket }> {
  const [a, b] = duplexPair();
  const accepted = once(tls, 'secureConnection') as Promise<[TLSSocket]>;
  tls.emit('connection', b);
  const near = connect({ ...options, socket: a });
  const [far] = await accepted;
  return { near, far };
}

test('both ends see each other’s key, by the group that resists quantum computers', async () => {
  const tls = createServer(linkTlsOptions(server));
  const { near, far } = await handshake(tls, linkTlsOptions(client));
  assert.equal(linkPeerKey(near), server.key.publicKey);
  assert.equal(linkPeerKey(far), client.key.publicKey);
  assert.equal((near.getEphemeralKeyInfo() as { name: string }).name, 'X25519MLKEM768');
  near.destroy();
});

test('a resumed session names nobody, though it carries the certificate', async () => {
  const tls = createServer({ ...linkTlsOptions(server), secureOptions: 0 });
  const first = await handshake(tls, linkTlsOptions(client));
  first.far.write('x');
  const [session] = (await once(first.near.resume(), 'session')) as [Buffer];
  const { near, far } = await handshake(tls, { ...linkTlsOptions(client), session });
  assert.deepEqual([near.isSessionReused(), far.isSessionReused()], [true, true]);
  assert.notEqual(far.getPeerX509Certificate(), undefined);
  assert.deepEqual([linkPeerKey(near), linkPeerKey(far)], [undefined, undefined]);
  first.near.destroy();
  near.destroy();
});

test('a stored certificate serves its key and no other', () => {
  const { certificatePem } = client.tls;
  assert.equal(storedLinkIdentity(client.key, certificatePem).tls.certificatePem, certificatePem);
  assert.throws(() => storedLinkIdentity(server.key, certificatePem), { code: 'bad-identity' });
  assert.throws(() => storedLinkIdentity(client.key, 'nonsense'), { code: 'bad-identity' });
});
