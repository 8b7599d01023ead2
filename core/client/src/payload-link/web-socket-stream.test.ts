import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { RELAY_CLOSE, type RelayCloseReason } from '../relay-protocol/index.ts';
import { relayCloseError } from './relay-close-error.ts';
import { MAX_LINK_MESSAGE, webSocketStream } from './web-socket-stream.ts';

/** Two ends of one real WebSocket on the loopback interface, both paused. */
async function pair(t: TestContext): Promise<[WebSocket, WebSocket]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: MAX_LINK_MESSAGE });
  await once(server, 'listening');
  const near = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
    maxPayload: MAX_LINK_MESSAGE,
  });
  near.once('open', () => near.pause());
  const far = await new Promise<WebSocket>((resolve) => {
    server.once('connection', (socket) => {
      socket.pause();
      resolve(socket);
    });
  });
  if (near.readyState !== WebSocket.OPEN) await once(near, 'open');
  t.after(() => {
    near.terminate();
    far.terminate();
    server.close();
  });
  return [near, far];
}

async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('bytes of any chunking arrive in order both ways, and each direction ends by itself', async (t) => {
  const [near, far] = (await pair(t)).map(webSocketStream) as [Duplex, Duplex];
  const [up, down] = [randomBytes(700_001), randomBytes(300_003)];
  const received = readAll(far);
  for (const [from, to] of [
    [0, 1],
    [1, 65_536],
    [65_536, 65_537],
    [65_537, 600_000],
    [600_000, 700_001],
  ]) {
    near.write(up.subarray(from, to));
  }
  near.end();
  assert.deepEqual(await received, up);
  assert.equal(near.destroyed, false, 'the other direction is still open');
  const answered = readAll(near);
  far.end(down);
  assert.deepEqual(await answered, down);
  if (!far.closed) await once(far, 'close');
});

test('both sockets close cleanly once both directions ended', async (t) => {
  const [nearSocket, farSocket] = await pair(t);
  const [near, far] = [webSocketStream(nearSocket), webSocketStream(farSocket)];
  const closed = Promise.all([once(nearSocket, 'close'), once(farSocket, 'close')]);
  near.end('a');
  far.end('b');
  assert.deepEqual([String(await readAll(far)), String(await readAll(near))], ['a', 'b']);
  const codes = (await closed).map(([code]: unknown[]) => code);
  assert.deepEqual(codes, [1000, 1000]);
});

test('a reader that stands still stops the writer at a bounded number of bytes', async (t) => {
  const [nearSocket, farSocket] = await pair(t);
  const [near, far] = [webSocketStream(nearSocket), webSocketStream(farSocket)];
  const piece = randomBytes(MAX_LINK_MESSAGE);
  let read = 0;
  far.on('data', (chunk: Buffer) => {
    read += chunk.length;
    far.pause();
  });
  // Without a limit this loop would go on to the end: what fits in between are socket buffers of the kernel.
  let written = 0;
  while (written < 500 && (near.write(piece) || (await drained(near)))) written += 1;
  assert.ok(written < 250, `${written} pieces of 64 KiB fit`);
  assert.ok(near.writableLength <= 2 * MAX_LINK_MESSAGE);
  assert.ok(nearSocket.bufferedAmount <= 2 * MAX_LINK_MESSAGE, `${nearSocket.bufferedAmount} bytes in the socket`);
  assert.ok(far.readableLength <= 4 * MAX_LINK_MESSAGE, `${far.readableLength} bytes at the reader`);
  far.removeAllListeners('data').on('data', (chunk: Buffer) => (read += chunk.length));
  far.resume();
  near.end();
  await once(far, 'end');
  assert.equal(read, (written + 1) * MAX_LINK_MESSAGE);
  far.end();
  near.resume();
  await Promise.all([once(near, 'close'), once(far, 'close')]);
});

/** Whether a stream drains before the loop has turned many times, during which a flowing one moves megabytes. */
async function drained(stream: Duplex): Promise<boolean> {
  let done = false;
  stream.once('drain', () => (done = true));
  for (let turn = 0; turn < 200 && !done; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return done;
}

test('text, and bytes after the end, break the stream', async (t) => {
  for (const messages of [['text'], [Buffer.alloc(0), Buffer.from('late')]]) {
    const [near, farSocket] = await pair(t);
    const stream = webSocketStream(near);
    stream.resume();
    farSocket.resume();
    for (const message of messages) farSocket.send(message);
    const [error] = (await once(stream, 'error')) as [{ code: string }];
    assert.equal(error.code, 'link-broken');
    await once(farSocket, 'close');
  }
});

test("the relay's close code names the error", async (t) => {
  const reasons: RelayCloseReason[] = [
    'peer-offline',
    'peer-busy',
    'no-answer',
    'replaced',
    'too-many',
    'idle',
    'peer-gone',
  ];
  for (const reason of reasons) {
    const [near, farSocket] = await pair(t);
    const stream = webSocketStream(near);
    stream.resume();
    farSocket.resume();
    farSocket.close(RELAY_CLOSE[reason], reason);
    const [error] = (await once(stream, 'error')) as [{ code: string; next: string }];
    assert.equal(error.code, relayCloseError(reason).code);
    assert.ok(error.next.length > 0);
  }
});

test('a stream that is destroyed cuts the socket, and a cut socket ends the stream with an error', async (t) => {
  const [near, farSocket] = await pair(t);
  const far = webSocketStream(farSocket);
  far.resume();
  webSocketStream(near).destroy();
  const [error] = (await once(far, 'error')) as [{ code: string }];
  assert.equal(error.code, 'link-broken');
});
