import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { dialPayload, expectKeys, requestPayload, type RelayAccess } from '@ringfence/client/payload-link';
import { agentTo, Cleanup, listenAt, newIdentity, relayRoute, startParty, startRelay } from './payload-link-parties.ts';

interface Proxy {
  readonly port: number;
  /** Each CONNECT: the target and the credentials as they came. */
  readonly requests: { target: string; authorization: string | undefined }[];
  readonly sockets: Set<Duplex>;
}

/** An HTTP proxy that knows CONNECT (RFC 9110 §9.3.6); `decide` gives the status, nothing at all means silence. */
async function startProxy(
  cleanup: Cleanup,
  decide: (authorization: string | undefined) => number | undefined = () => 200,
): Promise<Proxy> {
  const requests: Proxy['requests'] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('connect', (request: IncomingMessage, near: Duplex) => {
    sockets.add(near);
    near.on('error', () => {}).on('close', () => sockets.delete(near));
    near.on('end', () => near.end());
    const authorization = request.headers['proxy-authorization'];
    requests.push({ target: request.url ?? '', authorization });
    const status = decide(authorization);
    if (status === undefined) return void near.resume();
    if (status !== 200) return void near.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${request.url}`);
    const far: Socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''), () => {
      near.write('HTTP/1.1 200 Connected\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return { port: (server.address() as AddressInfo).port, requests, sockets };
}

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

test('both sides reach the relay through a proxy, with and without credentials', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const open = await startProxy(cleanup);
  const guarded = await startProxy(cleanup, (given) => (given === basic('us er:p@ss') ? 200 : 407));
  const caller = await newIdentity();
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (_, response) => response.end('"here"'),
  });
  const access = { ...relay, proxy: `http://us%20er:p%40ss@127.0.0.1:${guarded.port}` };
  await listenAt(party, access);
  const route = { ...relayRoute(relay, party.identity), proxy: `http://127.0.0.1:${open.port}` };
  assert.equal(
    (await requestPayload(agentTo(cleanup, caller, party.identity, route), { method: 'GET', path: '/' })).body,
    'here',
  );
  const target = `127.0.0.1:${relay.port}`;
  assert.deepEqual(open.requests, [{ target, authorization: undefined }]);
  assert.deepEqual(
    guarded.requests.map((request) => request.target),
    [target, target],
    'one to listen, one to take the call',
  );
});

async function dialBy(access: RelayAccess, clock = systemClock, signal?: AbortSignal) {
  const [caller, wanted] = [await newIdentity(), await newIdentity()];
  return dialPayload({
    routes: [{ ...relayRoute(access, wanted), caFile: access.caFile, pin: access.pin }],
    identity: caller,
    expect: expectKeys(wanted.key.publicKey),
    clock,
    signal,
  });
}

test('a proxy that refuses is told from a relay that refuses, and credentials stay out of the error', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const access = { relayUrl: relay.relayUrl, caFile: relay.caFile };
  for (const status of [407, 403, 502]) {
    const { port } = await startProxy(cleanup, () => status);
    for (const trust of [access, { relayUrl: relay.relayUrl, pin: relay.pin }])
      await assert.rejects(
        dialBy({ ...trust, proxy: `http://user:hunter2@127.0.0.1:${port}` }),
        (error: { code: string; message: string; next?: string }) => {
          assert.equal(error.code, 'proxy-refused', error.message);
          assert.ok(!`${error.message}${error.next}`.includes('hunter2'));
          return true;
        },
      );
  }
  const { port } = await startProxy(cleanup);
  await assert.rejects(dialBy({ ...access, proxy: `http://127.0.0.1:${port}` }), { code: 'peer-offline' });
  const pinned = { relayUrl: relay.relayUrl, pin: relay.pin, proxy: `http://127.0.0.1:${port}` };
  await assert.rejects(dialBy(pinned), { code: 'peer-offline' });
  await assert.rejects(dialBy({ ...access, proxy: 'socks5://127.0.0.1' }), { code: 'bad-url' });
  await relay.close();
  await assert.rejects(dialBy({ ...access, proxy: `http://127.0.0.1:${port}` }), { code: 'unreachable' });
});

test("through a proxy the certificate is still checked against the relay's name, not the proxy's", async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup, {}, 0, ['localhost']);
  const { port } = await startProxy(cleanup);
  const access = { relayUrl: `https://127.0.0.1:${relay.port}`, caFile: relay.caFile };
  for (const proxy of [undefined, `http://localhost:${port}`, `http://127.0.0.1:${port}`])
    await assert.rejects(dialBy({ ...access, proxy }), { code: 'untrusted-server' });
  const named = { ...access, relayUrl: `https://localhost:${relay.port}`, proxy: `http://127.0.0.1:${port}` };
  await assert.rejects(dialBy(named), { code: 'peer-offline' });
});

test('a proxy that never answers is given up, and no socket is left in it', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelay(cleanup);
  const proxy = await startProxy(cleanup, () => undefined);
  const access = { relayUrl: relay.relayUrl, caFile: relay.caFile, proxy: `http://127.0.0.1:${proxy.port}` };
  const clock = new ManualClock();
  const late = dialBy(access, clock);
  await until(() => proxy.sockets.size === 1);
  clock.advance(15_000);
  await assert.rejects(late, { code: 'timed-out' });
  await until(() => proxy.sockets.size === 0);
  const controller = new AbortController();
  const ended = dialBy({ ...access, caFile: undefined, pin: 'c'.repeat(64) }, systemClock, controller.signal);
  await until(() => proxy.sockets.size === 1);
  controller.abort();
  await assert.rejects(ended, { code: 'aborted' });
  await until(() => proxy.sockets.size === 0);
});
