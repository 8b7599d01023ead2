import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import test from 'node:test';
import { until } from '@ringfence/base/until';
import { readJournal } from '@ringfence/ledger';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

test('a link runs through an HTTP proxy that wants a password, and only with it', async (t) => {
  const clock = fastClock(20);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  let connects = 0;
  const proxy = createServer();
  const sockets = new Set<Socket>();
  proxy.on('connection', (socket) => sockets.add(socket));
  proxy.on('connect', (request, near: Socket) => {
    near.on('error', () => {});
    const [host = '', port = ''] = (request.url ?? '').split(':');
    if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('me:secret').toString('base64')}`)
      return void near.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    connects += 1;
    const far = connect(Number(port), host, () => near.write('HTTP/1.1 200 Connection Established\r\n\r\n'));
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const identity = newParty();
  controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const warnings: unknown[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (_: string, fields?: object) => warnings.push(fields),
  };
  const refused = dial(t, controlPlane, {
    identity,
    folder: temporaryFolder(t),
    clock,
    log,
    proxy: `http://127.0.0.1:${port}`,
  });
  await until(() => warnings.length > 0, 'the refusal');
  assert.equal((warnings[0] as { code: string }).code, 'proxy-refused');
  await refused.close();
  const { link } = dial(t, controlPlane, {
    identity,
    folder: temporaryFolder(t),
    clock,
    proxy: `http://me:secret@127.0.0.1:${port}`,
  });
  await until(() => link.state === 'up', 'the link');
  assert.equal(connects, 1);
  assert.equal(controlPlane.connections, 1);
});

test('a server with another certificate authority never sees the open frame', async (t) => {
  const clock = fastClock(20);
  const [ours, other] = [new LoopbackControlPlane(clock), new LoopbackControlPlane(clock)];
  for (const controlPlane of [ours, other]) {
    await controlPlane.listen(temporaryFolder(t));
    t.after(() => controlPlane.close());
  }
  const identity = newParty();
  const warnings: unknown[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (_: string, fields?: object) => warnings.push(fields),
  };
  const { journal } = dial(t, ours, {
    identity,
    folder: temporaryFolder(t),
    clock,
    log,
    url: `https://127.0.0.1:${other.port}`,
  });
  await until(() => warnings.length > 1, 'two attempts');
  assert.equal((warnings[0] as { code: string }).code, 'untrusted-server');
  assert.equal(other.connections, 0);
  const kinds = readJournal(readFileSync(`${journal.folder}/journal.jsonl`)).records.map(({ kind }) => kind);
  assert.deepEqual(new Set(kinds), new Set(['start', 'dial', 'hangup']), 'TCP connections, and no frame');
});
