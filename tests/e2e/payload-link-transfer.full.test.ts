import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { streamPayload, type Route } from '@ringfence/client/payload-link';
import { agentTo, Cleanup, eventually, listenAt, newIdentity, relayRoute, startParty } from './payload-link-parties.ts';
import { startRelayProcess } from './payload-link-relay-process.ts';

const MB = 1_000_000;
const SIZE = 100 * MB;

/** `SIZE` reproducible bytes that do not compress, as a stream of uneven chunks. */
function payload(): Readable {
  return Readable.from(chunks());
}

function* chunks(): Generator<Buffer> {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  for (let left = SIZE, size = 1; left > 0; left -= size) {
    size = Math.min(left, (size * 7 + 13) % 200_000);
    yield stream.update(Buffer.alloc(size));
  }
}

const DIGEST = (() => {
  const hash = createHash('sha256');
  for (const chunk of chunks()) hash.update(chunk);
  return hash.digest('hex');
})();

async function digestOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

/** A party that digests what it gets and serves the payload. */
async function storeParty(cleanup: Cleanup) {
  const caller = await newIdentity();
  const party = await startParty(cleanup, {
    members: [caller.key.publicKey],
    handler: (request, response) => {
      if (request.method === 'PUT') void digestOf(request).then((digest) => response.end(JSON.stringify(digest)));
      else payload().pipe(response);
    },
  });
  return { caller, party };
}

async function transferBothWays(agent: ReturnType<typeof agentTo>): Promise<void> {
  const up = await streamPayload(agent, { method: 'PUT', path: '/', body: { stream: payload(), length: SIZE } });
  assert.equal(await new Response(Readable.toWeb(up.body) as ReadableStream).json(), DIGEST);
  const down = await streamPayload(agent, { method: 'GET', path: '/' });
  assert.equal(await digestOf(down.body), DIGEST);
}

test('100 MB arrive intact in both directions by LAN', async () => {
  await using cleanup = new Cleanup();
  const { caller, party } = await storeParty(cleanup);
  const route: Route = { kind: 'lan', ...(await party.listener.listenLan({ host: '127.0.0.1', port: 0 })) };
  await transferBothWays(agentTo(cleanup, caller, party.identity, route));
});

test('100 MB arrive intact in both directions by relay, which stays small', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelayProcess(cleanup);
  const { caller, party } = await storeParty(cleanup);
  await listenAt(party, relay);
  const before = await relay.metric('process_resident_memory_bytes');
  await transferBothWays(agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity)));
  assert.ok((await relay.metric('ringfence_relay_forwarded_bytes_total')) > 2 * SIZE);
  const grown = ((await relay.metric('process_resident_memory_bytes')) - before) / MB;
  assert.ok(grown < 60, `the relay grew by ${grown.toFixed(0)} MB`);
});

test('a reader that stands still stops the sender; the relay holds little, and the rest arrives when it goes on', async () => {
  await using cleanup = new Cleanup();
  const relay = await startRelayProcess(cleanup);
  const { caller, party } = await storeParty(cleanup);
  await listenAt(party, relay);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  const { body } = await streamPayload(agent, { method: 'GET', path: '/' });
  const forwarded = (): Promise<number> => relay.metric('ringfence_relay_forwarded_bytes_total');
  // Nothing reads the body, so the flow stops: two looks 300 ms apart see the same count.
  let [last, same] = [-1, 0];
  await eventually(
    () => same >= 3,
    20_000,
    async () => {
      const now = await forwarded();
      same = now === last ? same + 1 : 0;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
    },
  );
  assert.ok(last < 40 * MB, `${last} bytes passed while nobody read`);
  const held = await relay.metric('process_resident_memory_bytes');
  assert.ok(held < 250 * MB, `${held} bytes resident`);
  assert.equal(await digestOf(body), DIGEST);
});
