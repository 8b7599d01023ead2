import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import { streamPayload, type Route } from '@ringfence/client/payload-link';
import { agentTo, Cleanup, listenAt, newIdentity, relayRoute, startParty } from './payload-link-parties.ts';
import { startRelayProcess } from './payload-link-relay-process.ts';

const MB = 1_000_000;
const SIZE = 100 * MB;
/** Far less than what passes, and more than a garbage collector that comes late lets stand. */
const MOST_GROWTH = SIZE / 2;
/** Each is a request of its own to the relay, some milliseconds long. */
const LOOKS = 20;

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

/** A relay that has got to work: what a process takes once (buffers, compiled code) it has taken. */
async function warmRelay(cleanup: Cleanup) {
  const relay = await startRelayProcess(cleanup);
  const { caller, party } = await storeParty(cleanup);
  await listenAt(party, relay);
  const agent = agentTo(cleanup, caller, party.identity, relayRoute(relay, party.identity));
  await transferBothWays(agent);
  const forwarded = (): Promise<number> => relay.metric('ringfence_relay_forwarded_bytes_total');
  const resident = (): Promise<number> => relay.metric('process_resident_memory_bytes');
  const [passed, held] = [await forwarded(), await resident()];
  assert.ok(passed > 2 * SIZE);
  return {
    agent,
    forwarded: async () => (await forwarded()) - passed,
    assertSmall: async () => {
      const grown = (await resident()) - held;
      assert.ok(grown < MOST_GROWTH, `the relay grew by ${(grown / MB).toFixed(0)} MB`);
    },
  };
}

test('100 MB arrive intact in both directions by relay, which does not grow with what passes', async () => {
  await using cleanup = new Cleanup();
  const { agent, forwarded, assertSmall } = await warmRelay(cleanup);
  await transferBothWays(agent);
  assert.ok((await forwarded()) > 2 * SIZE);
  await assertSmall();
});

test('a reader that stands still stops the sender; the relay holds little, and the rest arrives when it goes on', async () => {
  await using cleanup = new Cleanup();
  const { agent, forwarded, assertSmall } = await warmRelay(cleanup);
  const { body } = await streamPayload(agent, { method: 'GET', path: '/' });
  // Nothing reads the body, so the flow stops: the count is the same however often one looks.
  let [last, same] = [-1, 0];
  await until(async () => {
    const now = await forwarded();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= LOOKS;
  });
  assert.ok(last < 40 * MB, `${last} bytes passed while nobody read`);
  await assertSmall();
  assert.equal(await digestOf(body), DIGEST);
});
