import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { startAdminServer } from './admin-server.ts';

async function started(t: TestContext): Promise<URL> {
  const metrics = async () => ({ contentType: 'text/plain', body: 'one 1\n' });
  const server = await startAdminServer({ host: '127.0.0.1', port: 0, notReady: () => undefined, metrics });
  t.after(() => server.close());
  return new URL(server.url);
}

async function ask(url: URL, host?: string): Promise<{ status: number | undefined; connection: string | undefined }> {
  const request = get(new URL('/metrics', url), { agent: false, ...(host === undefined ? {} : { headers: { host } }) });
  const [response] = await once(request, 'response');
  response.resume();
  return { status: response.statusCode, connection: response.headers.connection };
}

test('idle connections do not keep a probe out for long', async (t) => {
  const url = await started(t);
  const idle = Array.from({ length: 64 }, () => connect(Number(url.port), url.hostname).on('error', () => {}));
  t.after(() => idle.forEach((socket) => socket.destroy()));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const deadline = AbortSignal.timeout(10_000);
  let status: number | undefined;
  while (status === undefined && !deadline.aborted) {
    status = await ask(url).then(
      (answer) => answer.status,
      () => undefined,
    );
    if (status === undefined) await after(100);
  }
  assert.equal(status, 200);
});

test('a request for another host is refused, and each answer ends its connection', async (t) => {
  const url = await started(t);
  for (const host of [undefined, 'localhost', 'LOCALHOST:9', '127.0.0.1:80', '127.8.8.8', '[::1]:1'])
    assert.deepEqual(await ask(url, host), { status: 200, connection: 'close' }, host);
  for (const host of ['attacker.example', '127.0.0.1.attacker.example', 'localhost.attacker.example', '10.1.1.1', '@'])
    assert.equal((await ask(url, host)).status, 403, host);
});
