import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, connect as tcpConnect, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import {
  connect as tlsConnect,
  createServer as createTlsServer,
  type ConnectionOptions,
  type TlsOptions,
} from 'node:tls';
import { ManualClock, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import {
  dialPayload,
  expectKeys,
  peerOf,
  requestPayload,
  type Admission,
  type LinkIdentity,
  type Route,
} from '@ringfence/client/payload-link';
import { createCertificateAuthority, type TlsPublicKey } from '@ringfence/crypto/certificate';
import { agentTo, certificateOf, Cleanup, newIdentity, peerSeen, startParty } from './payload-link-parties.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

/** A party on the loopback interface, and what reached its HTTP side. */
async function lanParty(cleanup: Cleanup, options: Partial<Parameters<typeof startParty>[1]> = {}) {
  const seen = { requests: 0 };
  const party = await startParty(cleanup, {
    members: [],
    handler: (request, response) => {
      seen.requests += 1;
      response.end(JSON.stringify(peerSeen(request)));
    },
    ...options,
  });
  const address = await party.listener.listenLan(LOOPBACK);
  const route: Route = { kind: 'lan', ...address };
  return { ...party, seen, route, address };
}

function pem(identity: LinkIdentity): { cert: string; key: Buffer } {
  return { cert: identity.tls.certificatePem, key: Buffer.from(identity.tls.privateKeyPem.expose()) };
}

test('a caller that the keyring does not name is refused before any HTTP', async () => {
  await using cleanup = new Cleanup();
  const [member, stranger] = [await newIdentity(), await newIdentity()];
  const party = await lanParty(cleanup, { members: [member.key.publicKey] });
  const agent = agentTo(cleanup, stranger, party.identity, party.route);
  await assert.rejects(requestPayload(agent, { method: 'GET', path: '/' }), { code: 'link-refused' });
  assert.equal(party.seen.requests, 0);
  assert.ok(party.lines.some((line) => line.includes('"link-refused"') && line.includes('not-in-keyring')));
  assert.ok(!party.lines.join('').includes(stranger.key.publicKey));
  const good = agentTo(cleanup, member, party.identity, party.route);
  const { body } = await requestPayload(good, { method: 'GET', path: '/' });
  assert.deepEqual(body, {
    kind: 'known',
    id: 'member',
    key: member.key.publicKey,
    certificate: certificateOf(member),
  });
});

test('a caller sends nothing to a server with another key', async () => {
  await using cleanup = new Cleanup();
  const [caller, impostor, wanted] = [await newIdentity(), await newIdentity(), await newIdentity()];
  const { route, received } = await rawServer(cleanup, { ...linkServer(impostor) });
  const agent = agentTo(cleanup, caller, wanted, route);
  await assert.rejects(requestPayload(agent, { method: 'POST', path: '/', body: { json: 'secret' } }), {
    code: 'wrong-peer',
  });
  await until(() => received.closed === 1);
  assert.equal(received.bytes, 0);
});

test('a caller sends nothing to a server whose TLS is not the link’s', async () => {
  await using cleanup = new Cleanup();
  const [caller, wanted] = [await newIdentity(), await newIdentity()];
  const authority = await createCertificateAuthority({ clock: systemClock, rng: systemRng });
  const p256 = { cert: authority.certificatePem, key: Buffer.from(authority.privateKeyPem.expose()) };
  const servers: [string, TlsOptions][] = [
    ['another protocol', { ...linkServer(wanted), ALPNProtocols: ['http/1.1'] }],
    ['no protocol', { ...pem(wanted), requestCert: true, rejectUnauthorized: false }],
    ['TLS 1.2', { ...linkServer(wanted), maxVersion: 'TLSv1.2' }],
    ['a P-256 certificate', { ...linkServer(wanted), ...p256 }],
  ];
  for (const [name, options] of servers) {
    const { route, received } = await rawServer(cleanup, options);
    await assert.rejects(
      dialPayload({ ...dialling(caller, wanted), routes: [route] }),
      ({ code }: { code: string }) => ['wrong-peer', 'link-broken'].includes(code),
      name,
    );
    assert.equal(received.bytes, 0, name);
  }
});

test('a listener takes no other TLS than the link’s', async () => {
  await using cleanup = new Cleanup();
  const member = await newIdentity();
  const party = await lanParty(cleanup, { members: [member.key.publicKey] });
  const authority = await createCertificateAuthority({ clock: systemClock, rng: systemRng });
  const p256 = { cert: authority.certificatePem, key: Buffer.from(authority.privateKeyPem.expose()) };
  const link: ConnectionOptions = { ...pem(member), ALPNProtocols: ['ringfence/1'], rejectUnauthorized: false };
  const callers: [string, ConnectionOptions][] = [
    ['no certificate', { ALPNProtocols: ['ringfence/1'], rejectUnauthorized: false }],
    ['a P-256 certificate', { ...link, ...p256 }],
    ['no protocol', { ...pem(member), rejectUnauthorized: false }],
    ['another protocol', { ...link, ALPNProtocols: ['http/1.1'] }],
    ['TLS 1.2', { ...link, maxVersion: 'TLSv1.2' }],
    ['a classic group the listener does not offer', { ...link, ecdhCurve: 'P-521' }],
  ];
  for (const [name, options] of callers) assert.equal(await rawRequest(party.address, options), '', name);
  assert.equal(party.seen.requests, 0);
  assert.match(await rawRequest(party.address, link), /^HTTP\/1.1 200/);
  assert.match(await rawRequest(party.address, { ...link, ecdhCurve: 'X25519MLKEM768' }), /^HTTP\/1.1 200/);
  assert.match(await rawRequest(party.address, { ...link, ecdhCurve: 'X25519' }), /^HTTP\/1.1 200/);
});

test('no handshake is shortened by a session of an earlier one', async () => {
  await using cleanup = new Cleanup();
  const member = await newIdentity();
  const party = await lanParty(cleanup, { members: [member.key.publicKey] });
  const link: ConnectionOptions = { ...pem(member), ALPNProtocols: ['ringfence/1'], rejectUnauthorized: false };
  const sessions: Buffer[] = [];
  await rawRequest(party.address, link, (socket) => socket.on('session', (session: Buffer) => sessions.push(session)));
  for (const session of sessions) {
    let reused: boolean | undefined;
    await rawRequest(party.address, { ...link, session }, (socket) =>
      socket.once('secureConnect', () => (reused = socket.isSessionReused())),
    );
    assert.equal(reused, false);
  }
});

test('a stranger gets in only where the listener says so, and is marked', async () => {
  await using cleanup = new Cleanup();
  const stranger = await newIdentity();
  const admit = (): Admission => ({ allow: true, peer: { kind: 'unknown' } });
  const party = await lanParty(cleanup, { admit });
  const agent = agentTo(cleanup, stranger, party.identity, party.route);
  const { body } = await requestPayload(agent, { method: 'GET', path: '/' });
  assert.deepEqual(body, { kind: 'unknown', key: stranger.key.publicKey, certificate: certificateOf(stranger) });
  const plain = createHttpServer((request, response) => {
    assert.throws(() => peerOf(request), TypeError);
    response.end();
  });
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => plain.close());
  assert.equal((await fetch(`http://127.0.0.1:${(plain.address() as AddressInfo).port}`)).status, 200);
});

test('a member that is removed loses its open links at the next recheck', async () => {
  await using cleanup = new Cleanup();
  const [stays, goes] = [await newIdentity(), await newIdentity()];
  const members = new Set<TlsPublicKey>([stays.key.publicKey, goes.key.publicKey]);
  const admit = (key: TlsPublicKey): Admission =>
    members.has(key) ? { allow: true, peer: { kind: 'known', id: 'm' } } : { allow: false, reasons: ['removed'] };
  const party = await lanParty(cleanup, { admit });
  const [first, second] = await Promise.all(
    [stays, goes].map((from) => dialPayload({ ...dialling(from, party.identity), routes: [party.route] })),
  );
  assert.ok(first !== undefined && second !== undefined);
  cleanup.add(() => first.destroy());
  second.resume().on('error', () => {});
  for (const socket of [first, second]) socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await until(() => party.seen.requests === 2);
  members.delete(goes.key.publicKey);
  party.listener.recheck();
  await until(() => second.closed);
  assert.equal(first.closed, false);
});

test('a link is cut when what it rests on is taken away, not when more is given or when it has come since', async () => {
  await using cleanup = new Cleanup();
  const [loses, gains, comes] = [await newIdentity(), await newIdentity(), await newIdentity()];
  const rights = new Map<TlsPublicKey, readonly string[]>([
    [loses.key.publicKey, ['auditor', 'operator']],
    [gains.key.publicKey, ['auditor']],
    [comes.key.publicKey, ['auditor']],
  ]);
  const admit = (key: TlsPublicKey): Admission => ({
    allow: true,
    peer: { kind: 'known', id: 'm' },
    rights: rights.get(key) ?? [],
  });
  const clock = new ManualClock();
  const party = await lanParty(cleanup, { admit, clock });
  const dial = (from: LinkIdentity) => dialPayload({ ...dialling(from, party.identity), routes: [party.route] });
  const [lost, kept] = await Promise.all([dial(loses), dial(gains)]);
  for (const socket of [lost, kept]) {
    socket.resume().on('error', () => {});
    cleanup.add(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  }
  await until(() => party.seen.requests === 2);
  rights.set(loses.key.publicKey, ['auditor']).set(gains.key.publicKey, ['operator', 'auditor']);
  party.listener.recheck();
  const after = await dial(comes);
  after.resume().on('error', () => {});
  cleanup.add(() => after.destroy());
  after.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await until(() => party.seen.requests === 3);
  assert.equal(lost.closed, false, 'who took it away from themselves hears the answer');
  party.listener.recheck();
  clock.advance(1_000);
  await until(() => lost.closed);
  assert.deepEqual([kept.closed, after.closed], [false, false]);
});

test('one member cannot take all links', async () => {
  await using cleanup = new Cleanup();
  const [greedy, other] = [await newIdentity(), await newIdentity()];
  const party = await lanParty(cleanup, {
    members: [greedy.key.publicKey, other.key.publicKey],
    limits: { linksPerPeer: 2 },
  });
  const dial = (from: LinkIdentity) => dialPayload({ ...dialling(from, party.identity), routes: [party.route] });
  const held = [await dial(greedy), await dial(greedy), await dial(greedy)];
  cleanup.add(() => held.forEach((socket) => socket.destroy()));
  await until(() => party.lines.some((line) => line.includes('too-many-links')));
  const agent = agentTo(cleanup, other, party.identity, party.route);
  assert.equal((await requestPayload(agent, { method: 'GET', path: '/' })).status, 200);
});

test('connections that say nothing or trickle are cut, and members still get in', async () => {
  await using cleanup = new Cleanup();
  const member = await newIdentity();
  const party = await lanParty(cleanup, {
    members: [member.key.publicKey],
    limits: { handshakes: 8, handshakeWithin: 300 },
    http: { headersWithin: 300 },
  });
  const silent = Array.from({ length: 12 }, () => openSilent(cleanup, party.address));
  await until(() => silent.filter(({ closed }) => closed).length >= 4);
  await until(() => silent.every(({ closed }) => closed));
  const slow = await dialPayload({ ...dialling(member, party.identity), routes: [party.route] });
  cleanup.add(() => slow.destroy());
  let answer = '';
  slow.on('data', (chunk: Buffer) => (answer += String(chunk)));
  slow.on('error', () => {});
  slow.write('GET / HTTP/1.1\r\nhost: x\r\nx-slow: ');
  await until(() => slow.closed);
  assert.match(answer, /^HTTP\/1.1 408/);
  assert.equal(party.seen.requests, 0);
  const agent = agentTo(cleanup, member, party.identity, party.route);
  assert.equal((await requestPayload(agent, { method: 'GET', path: '/' })).status, 200);
});

test('a dial ends when its time is over or its caller aborts, and leaves no socket', async () => {
  await using cleanup = new Cleanup();
  const sockets = new Set<Socket>();
  const hole = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.resume();
  });
  await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => hole.close());
  const route: Route = { kind: 'lan', host: '127.0.0.1', port: (hole.address() as AddressInfo).port };
  const [caller, wanted] = [await newIdentity(), await newIdentity()];
  const clock = new ManualClock();
  const late = dialPayload({ ...dialling(caller, wanted), clock, routes: [route] });
  await until(() => sockets.size === 1);
  clock.advance(15_000);
  await assert.rejects(late, { code: 'timed-out' });
  const controller = new AbortController();
  const aborted = dialPayload({ ...dialling(caller, wanted), routes: [route, route], signal: controller.signal });
  await until(() => sockets.size === 1);
  controller.abort();
  await assert.rejects(aborted, { code: 'aborted' });
  await until(() => sockets.size === 0);
  await assert.rejects(dialPayload({ ...dialling(caller, wanted), routes: [] }), { code: 'unreachable' });
});

test('a port that is taken is refused with the next step', async () => {
  await using cleanup = new Cleanup();
  const party = await lanParty(cleanup);
  await assert.rejects(party.listener.listenLan(party.address), (error: { code: string; next?: string }) => {
    assert.equal(error.code, 'cannot-listen');
    return error.next !== undefined;
  });
});

function dialling(from: LinkIdentity, to: LinkIdentity) {
  return { identity: from, expect: expectKeys(to.key.publicKey), clock: systemClock };
}

function linkServer(identity: LinkIdentity): TlsOptions {
  return { ...pem(identity), ALPNProtocols: ['ringfence/1'], requestCert: true, rejectUnauthorized: false };
}

async function rawServer(cleanup: Cleanup, options: TlsOptions) {
  const received = { bytes: 0, closed: 0 };
  const server = createTlsServer(options, (socket) => {
    socket.on('data', (bytes: Buffer) => (received.bytes += bytes.length));
    socket.on('error', () => {}).on('close', () => (received.closed += 1));
  });
  // A caller that leaves at once may be gone before the server has seen the end of the handshake.
  server.on('tlsClientError', () => (received.closed += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => server.close());
  const route: Route = { kind: 'lan', host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  return { route, received };
}

/** What a listener answers to a request over TLS of any kind; nothing when it refuses. */
function rawRequest(
  address: { host: string; port: number },
  options: ConnectionOptions,
  watch: (socket: ReturnType<typeof tlsConnect>) => void = () => {},
): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = tlsConnect({ ...address, ...options, minVersion: 'TLSv1.2' }, () =>
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
    );
    watch(socket);
    socket.on('data', (bytes: Buffer) => (answer += String(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

function openSilent(cleanup: Cleanup, address: { host: string; port: number }): Socket {
  const socket = tcpConnect(address).resume();
  socket.on('error', () => {});
  cleanup.add(() => socket.destroy());
  return socket;
}
