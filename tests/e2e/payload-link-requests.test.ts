import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import { requestPayload, streamPayload, type PayloadRequest } from '@ringfence/client/payload-link';
import { agentTo, Cleanup, newIdentity, startParty } from './payload-link-parties.ts';

/** A member's agent for a party on the loopback interface, and the links that the party sees. */
async function connected(cleanup: Cleanup, handler: RequestListener) {
  const caller = await newIdentity();
  const sockets = new Set<IncomingMessage['socket']>();
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (request, response) => {
      sockets.add(request.socket);
      handler(request, response);
    },
  });
  const address = await party.listener.listenLan({ host: '127.0.0.1', port: 0 });
  return { agent: agentTo(cleanup, caller, party.identity, { kind: 'lan', ...address }), sockets };
}

const GET: PayloadRequest = { method: 'GET', path: '/' };

test('requests one after the other share one link; many at once use no more than four', async () => {
  await using cleanup = new Cleanup();
  let atOnce = 0;
  let most = 0;
  const { agent, sockets } = await connected(cleanup, (_, response) => {
    most = Math.max(most, (atOnce += 1));
    setImmediate(() => {
      atOnce -= 1;
      response.end('{}');
    });
  });
  for (let count = 0; count < 20; count += 1) assert.equal((await requestPayload(agent, GET)).status, 200);
  assert.equal(sockets.size, 1);
  await Promise.all(Array.from({ length: 40 }, () => requestPayload(agent, GET)));
  assert.ok(most <= 4 && sockets.size >= 2, `${most} at once on ${sockets.size} links`);
});

test('JSON goes there and back; every status is an answer; an empty answer is undefined', async () => {
  await using cleanup = new Cleanup();
  const { agent } = await connected(cleanup, (request, response) => {
    if (request.url === '/empty') return void response.writeHead(204).end();
    response.writeHead(request.url === '/refused' ? 403 : 200, { 'x-answer': 'yes' });
    request.pipe(response);
  });
  const value = { text: 'ü', list: [1, null], deep: { a: true } };
  const answer = await requestPayload(agent, { method: 'PUT', path: '/', body: { json: value } });
  assert.deepEqual([answer.status, answer.headers['x-answer'], answer.body], [200, 'yes', value]);
  const refused = await requestPayload(agent, { method: 'POST', path: '/refused', body: { json: 1 } });
  assert.deepEqual([refused.status, refused.body], [403, 1]);
  assert.deepEqual((await requestPayload(agent, { method: 'DELETE', path: '/empty' })).body, undefined);
});

test('an answer that is too long, no JSON or no UTF-8 is refused without repeating it', async () => {
  await using cleanup = new Cleanup();
  const { agent } = await connected(cleanup, (request, response) => {
    if (request.url === '/long') response.end(`"${'x'.repeat(2_000)}"`);
    else if (request.url === '/words') response.end('hunter2');
    else response.end(Buffer.from([0x22, 0xff, 0x22]));
  });
  await assert.rejects(requestPayload(agent, { ...GET, path: '/long', maxBytes: 2_001 }), { code: 'too-large' });
  assert.equal(
    ((await requestPayload(agent, { ...GET, path: '/long', maxBytes: 2_002 })).body as string).length,
    2_000,
  );
  for (const path of ['/words', '/bytes'])
    await assert.rejects(
      requestPayload(agent, { ...GET, path }),
      (error: { code: string; message: string; cause?: unknown }) => {
        assert.equal(error.code, 'bad-response');
        assert.ok(!error.message.includes('hunter') && error.cause === undefined);
        return true;
      },
    );
});

test('streams go up and down with and without a known length', async () => {
  await using cleanup = new Cleanup();
  const { agent } = await connected(cleanup, (request, response) => {
    response.setHeader('x-length', request.headers['content-length'] ?? 'none');
    request.pipe(response);
  });
  const bytes = randomBytes(3_000_000);
  const digest = createHash('sha256').update(bytes).digest('hex');
  for (const length of [bytes.length, undefined]) {
    const stream = Readable.from([bytes.subarray(0, 1), bytes.subarray(1, 1_000_000), bytes.subarray(1_000_000)]);
    const answer = await streamPayload(agent, {
      method: 'PUT',
      path: '/',
      body: { stream, ...(length === undefined ? {} : { length }) },
    });
    assert.equal(answer.headers['x-length'], String(length ?? 'none'));
    assert.equal(
      createHash('sha256')
        .update(await buffer(answer.body))
        .digest('hex'),
      digest,
    );
  }
});

test('a link that breaks in the middle of an answer is an error, not a short answer', async () => {
  await using cleanup = new Cleanup();
  const { agent } = await connected(cleanup, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.socket?.destroy());
  });
  await assert.rejects(requestPayload(agent, GET), { code: 'link-broken' });
  const { body } = await streamPayload(agent, GET);
  await assert.rejects(buffer(body));
});

test('a kept link that closed meanwhile costs a reading request nothing, and no writing request runs twice', async () => {
  await using cleanup = new Cleanup();
  let requests = 0;
  const { agent, sockets } = await connected(cleanup, (request, response) => {
    requests += 1;
    // Closes the kept link just as the next request is on its way: unread, so it cannot have had an effect.
    if (request.url === '/then-close') response.end('{}', () => setImmediate(() => request.socket.destroy()));
    else if (request.url === '/cut') request.socket.destroy();
    else response.end('{}');
  });
  for (let round = 0; round < 20; round += 1) {
    await requestPayload(agent, { ...GET, path: '/then-close' });
    assert.equal((await requestPayload(agent, GET)).status, 200);
  }
  assert.ok(sockets.size > 1);
  await requestPayload(agent, GET);
  requests = 0;
  await assert.rejects(requestPayload(agent, { method: 'POST', path: '/cut' }), { code: 'link-broken' });
  assert.equal(requests, 1);
});

test('a silent answer ends at the idle time, a caller can end it sooner, and its place is free again', async () => {
  await using cleanup = new Cleanup();
  const { agent } = await connected(cleanup, (request, response) => {
    if (request.url === '/ok') response.end('{}');
  });
  const silent = Array.from({ length: 4 }, () => requestPayload(agent, { ...GET, idleWithin: 50 }));
  assert.deepEqual(await codesOf(silent), ['timed-out', 'timed-out', 'timed-out', 'timed-out']);
  const controller = new AbortController();
  const aborted = Array.from({ length: 5 }, () => requestPayload(agent, { ...GET, signal: controller.signal }));
  setImmediate(() => controller.abort());
  assert.deepEqual(await codesOf(aborted), ['aborted', 'aborted', 'aborted', 'aborted', 'aborted']);
  assert.equal((await requestPayload(agent, { ...GET, path: '/ok' })).status, 200);
});

test("a caller's own stream that fails fails the request with its error", async () => {
  await using cleanup = new Cleanup();
  let aborted = 0;
  const begun = Promise.withResolvers<void>();
  const { agent } = await connected(cleanup, (request) => {
    request.on('data', () => begun.resolve()).on('error', () => (aborted += 1));
  });
  const failing = Readable.from(
    (async function* () {
      yield Buffer.alloc(1_000);
      await begun.promise;
      throw new RangeError('no more disk');
    })(),
  );
  await assert.rejects(streamPayload(agent, { method: 'PUT', path: '/', body: { stream: failing } }), {
    name: 'RangeError',
    message: 'no more disk',
  });
  await until(() => aborted === 1);
});

async function codesOf(attempts: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(attempts);
  return settled.map((one) =>
    one.status === 'rejected' ? String((one.reason as { code?: string }).code) : 'answered',
  );
}
