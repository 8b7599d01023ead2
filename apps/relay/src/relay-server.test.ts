import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { connect as tcpConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { WebSocket } from 'ws';
import { ManualClock, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import {
  parseRelayMessage,
  proveListener,
  RELAY_CLOSE,
  relayAddressOf,
  relayPathOf,
  type RelayMessage,
  type RelayRequest,
  type RelayTicket,
} from '@ringfence/client/relay-protocol';
import { TlsKey } from '@ringfence/crypto/certificate';
import { ownCertificate } from '@ringfence/client/server-certificate';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './limits.ts';
import { startRelayServer, type RelayServer } from './relay-server.ts';

interface Started {
  readonly server: RelayServer;
  readonly clock: ManualClock;
  readonly ca: string;
  readonly port: number;
}

/** A relay on the loopback interface whose time stands still unless the test moves it. */
async function start(t: TestContext, limits: Partial<RelayLimits> = {}): Promise<Started> {
  const state = mkdtempSync(join(tmpdir(), 'relay-server-'));
  const clock = new ManualClock();
  const certificate = await ownCertificate({ state, names: ['127.0.0.1'], clock: systemClock, rng: systemRng });
  const server = await startRelayServer({
    host: '127.0.0.1',
    port: 0,
    names: ['127.0.0.1'],
    certificate,
    limits: { ...DEFAULT_RELAY_LIMITS, ...limits },
    clock,
    rng: systemRng,
    log: silentLog,
  });
  t.after(async () => {
    const closing = server.close();
    clock.advance(10_000);
    await closing;
    rmSync(state, { recursive: true });
  });
  return { server, clock, ca: certificate.certificatePem, port: server.port };
}

function open(t: TestContext, relay: Started, request: RelayRequest | string, headers = {}): WebSocket {
  const path = typeof request === 'string' ? request : relayPathOf(request);
  const socket = new WebSocket(`wss://127.0.0.1:${relay.port}${path}`, { ca: relay.ca, headers });
  socket.on('error', () => {});
  t.after(() => socket.terminate());
  return socket;
}

/** The close code that a WebSocket gets. */
async function codeOf(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

async function message(socket: WebSocket): Promise<RelayMessage | undefined> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return parseRelayMessage(data);
}

async function listen(t: TestContext, relay: Started, key = TlsKey.generate(systemRng)) {
  const socket = open(t, relay, { kind: 'listen' });
  const asked = await message(socket);
  assert.ok(asked?.type === 'challenge');
  const host = `127.0.0.1:${relay.port}`;
  socket.send(JSON.stringify(proveListener(key, { challenge: asked.challenge, host })));
  assert.deepEqual(await message(socket), { type: 'listening' });
  return { socket, address: relayAddressOf(key.publicKey) };
}

async function join2(t: TestContext, relay: Started): Promise<{ caller: WebSocket; taker: WebSocket }> {
  const { socket, address } = await listen(t, relay);
  const caller = open(t, relay, { kind: 'dial', address });
  const rung = await message(socket);
  assert.ok(rung?.type === 'incoming');
  const taker = open(t, relay, { kind: 'accept', ticket: rung.ticket });
  for (const one of [caller, taker]) if (one.readyState !== WebSocket.OPEN) await once(one, 'open');
  return { caller, taker };
}

function read(relay: Started, path: string, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((found, failed) => {
    get({ host: '127.0.0.1', port: relay.port, path, method, ca: relay.ca, agent: false }, (response) => {
      text(response).then((body) => found({ status: response.statusCode ?? 0, body }), failed);
    }).on('error', failed);
  });
}

test('says that it lives, is ready, and what it counts, and nothing else', async (t) => {
  const relay = await start(t);
  await listen(t, relay);
  assert.equal((await read(relay, '/healthz')).status, 200);
  assert.equal((await read(relay, '/readyz')).status, 200);
  const { body } = await read(relay, '/metrics');
  assert.match(body, /^ringfence_relay_listeners 1$/m);
  assert.match(body, /^process_resident_memory_bytes \d/m);
  assert.equal((await read(relay, '/')).status, 404);
  assert.equal((await read(relay, '/v1/listen')).status, 404);
  assert.equal((await read(relay, '/healthz', 'POST')).status, 405);
});

test('joins a call and passes messages on as they are, empty ones included', async (t) => {
  const relay = await start(t);
  const { caller, taker } = await join2(t, relay);
  for (const [from, to] of [
    [caller, taker],
    [taker, caller],
  ] as const)
    for (const bytes of [Buffer.from('abc'), Buffer.alloc(65_536, 5), Buffer.alloc(0)]) {
      const arrived = once(to, 'message') as Promise<[Buffer, boolean]>;
      from.send(bytes);
      const [data, isBinary] = await arrived;
      assert.ok(isBinary && data.equals(bytes));
    }
  const closed = Promise.all([codeOf(taker), codeOf(caller)]);
  caller.close(1000);
  assert.deepEqual(await closed, [1000, 1000]);
});

test('an end that leaves, text, a message too long, and silence close the link with their code', async (t) => {
  const relay = await start(t, { idleWithin: 60_000 });
  const cases: [(ends: { caller: WebSocket; taker: WebSocket }) => void, number][] = [
    [({ caller }) => caller.terminate(), RELAY_CLOSE['peer-gone']],
    [({ caller }) => caller.send('text'), RELAY_CLOSE['peer-gone']],
    [({ caller }) => caller.send(Buffer.alloc(65_537)), RELAY_CLOSE['peer-gone']],
    [() => [60_000, 60_000].forEach((time) => relay.clock.advance(time)), RELAY_CLOSE.idle],
  ];
  for (const [act, code] of cases) {
    const ends = await join2(t, relay);
    const closed = codeOf(ends.taker);
    act(ends);
    assert.equal(await closed, code);
  }
});

test('calls to nobody, made-up tickets and calls that nobody takes are closed with their code', async (t) => {
  const relay = await start(t);
  const nobody = relayAddressOf(TlsKey.generate(systemRng).publicKey);
  assert.equal(await codeOf(open(t, relay, { kind: 'dial', address: nobody })), RELAY_CLOSE['peer-offline']);
  const ticket = 'A'.repeat(22) as RelayTicket;
  assert.equal(await codeOf(open(t, relay, { kind: 'accept', ticket })), RELAY_CLOSE['ticket-refused']);
  const { socket, address } = await listen(t, relay);
  const waiting = open(t, relay, { kind: 'dial', address });
  const rung = await message(socket);
  const closed = codeOf(waiting);
  for (let second = 0; second < 11; second += 1) relay.clock.advance(1_000);
  assert.equal(await closed, RELAY_CLOSE['no-answer']);
  assert.ok(rung?.type === 'incoming');
  assert.equal(await codeOf(open(t, relay, { kind: 'accept', ticket: rung.ticket })), RELAY_CLOSE['ticket-refused']);
});

test('a ticket that was used is refused', async (t) => {
  const relay = await start(t);
  const { socket, address } = await listen(t, relay);
  const caller = open(t, relay, { kind: 'dial', address });
  const rung = await message(socket);
  assert.ok(rung?.type === 'incoming');
  const taker = open(t, relay, { kind: 'accept', ticket: rung.ticket });
  await once(taker, 'open');
  assert.equal(await codeOf(open(t, relay, { kind: 'accept', ticket: rung.ticket })), RELAY_CLOSE['ticket-refused']);
  const arrived = once(taker, 'message');
  caller.send(Buffer.from('still joined'));
  await arrived;
});

test('a listener without proof, with nonsense, or with a proof for another name of the relay is closed', async (t) => {
  const relay = await start(t);
  const silent = open(t, relay, { kind: 'listen' });
  await message(silent);
  const closed = codeOf(silent);
  for (let second = 0; second < 11; second += 1) relay.clock.advance(1_000);
  assert.equal(await closed, RELAY_CLOSE['proof-refused']);
  for (const answer of ['nonsense', Buffer.from('{}'), '{"type":"proof"}', 'x'.repeat(60_000)]) {
    const socket = open(t, relay, { kind: 'listen' });
    await message(socket);
    socket.send(answer);
    assert.equal(await codeOf(socket), RELAY_CLOSE['bad-message']);
  }
  const passedOn = open(t, relay, { kind: 'listen' });
  const asked = await message(passedOn);
  assert.ok(asked?.type === 'challenge');
  const proof = proveListener(TlsKey.generate(systemRng), { challenge: asked.challenge, host: 'other.test:443' });
  passedOn.send(JSON.stringify(proof));
  assert.equal(await codeOf(passedOn), RELAY_CLOSE['proof-refused']);
});

test('a listener that is gone without a word is noticed, and a proof under a foreign host name is not taken', async (t) => {
  const relay = await start(t);
  const { socket } = await listen(t, relay);
  // A client that does not answer pings any more.
  socket.pause();
  const gone = async (): Promise<boolean> =>
    /^ringfence_relay_listeners 0$/m.test((await read(relay, '/metrics')).body);
  relay.clock.advance(20_000);
  relay.clock.advance(20_000);
  for (let look = 0; look < 200 && !(await gone()); look += 1);
  assert.ok(await gone());
  const [response] = await refused(open(t, relay, { kind: 'listen' }, { host: 'evil.test' }));
  assert.equal(response, 421);
});

test('paths that are none of the relay’s are refused', async (t) => {
  const relay = await start(t);
  for (const path of ['/', '/v1/dial/x', '/v2/listen', '/v1/listen?a=1'])
    assert.deepEqual(await refused(open(t, relay, path)), [404], path);
});

test('a page of a browser opens no socket', async (t) => {
  const relay = await start(t);
  const socket = open(t, relay, { kind: 'listen' }, { origin: `https://127.0.0.1:${relay.port}` });
  await assert.rejects(once(socket, 'open'), /response: 403/);
});

async function refused(socket: WebSocket): Promise<number[]> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  return [response.statusCode];
}

test('one client cannot take all connections, and all together stay below the limit', async (t) => {
  const relay = await start(t, { connectionsPerClient: 5 });
  const sockets = Array.from({ length: 9 }, () => tcp(t, relay.port));
  const cut = await Promise.all(sockets.map((socket) => closesSoon(socket)));
  assert.equal(cut.filter(Boolean).length, 4);
  sockets.forEach((socket) => socket.destroy());
  for (let look = 0; look < 200; look += 1) {
    const answer = await read(relay, '/healthz').catch(() => undefined);
    if (answer?.status === 200) return;
  }
  assert.fail('the places did not come back');
});

test('the relay takes no more connections than its limit', async (t) => {
  const relay = await start(t, { connections: 3 });
  const sockets = Array.from({ length: 6 }, () => tcp(t, relay.port));
  const cut = await Promise.all(sockets.map((socket) => closesSoon(socket)));
  assert.equal(cut.filter(Boolean).length, 3);
});

test('connections that stay silent before or after the handshake are cut', async (t) => {
  const relay = await start(t, { headersWithin: 200 });
  const silent = tcp(t, relay.port).resume();
  const slow = tlsConnect({ host: '127.0.0.1', port: relay.port, ca: relay.ca }, () =>
    slow.write('GET /healthz HTTP/1.1\r\nx: '),
  );
  slow.on('error', () => {}).resume();
  // Not once(): it fails on an error, and a cut may come as a reset.
  await Promise.all([silent, slow].map((socket) => new Promise((resolve) => socket.on('close', resolve))));
});

/** Whether the server ends a connection that was accepted; one that stays is shown by an answered TLS hello. */
function closesSoon(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.on('close', () => resolve(true));
    const tls = tlsConnect({ socket, rejectUnauthorized: false }, () => resolve(false));
    tls.on('error', () => {});
  });
}

function tcp(t: TestContext, port: number): Socket {
  const socket = tcpConnect({ host: '127.0.0.1', port }).on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

test('a relay that stops tells its connections to come back', async (t) => {
  const relay = await start(t);
  const { socket } = await listen(t, relay);
  const { caller, taker } = await join2(t, relay);
  const closed = Promise.all([socket, caller, taker].map(codeOf));
  const stopped = relay.server.close();
  assert.deepEqual(await closed, [1012, 1012, 1012]);
  await stopped;
});
