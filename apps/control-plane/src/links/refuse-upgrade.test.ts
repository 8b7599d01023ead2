import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import { refuseUpgrade } from './refuse-upgrade.ts';

test('a refused socket is gone once it was answered, though the other side keeps its end open', async (t) => {
  const server = createServer({ allowHalfOpen: true });
  t.after(() => server.close());
  const gone = new Promise((resolve) =>
    server.once('connection', (socket) => {
      socket.once('close', resolve);
      refuseUpgrade(socket, systemClock, 7);
    }),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => client.destroy());
  let answer = '';
  client.setEncoding('latin1').on('data', (text: string) => (answer += text));
  await Promise.all([once(client, 'end'), gone]);
  assert.match(answer, /^HTTP\/1\.1 503 .*\r\nRetry-After: 7\r\n/);
});
