import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { forward, type Forwarded, type Onlooker } from './forward.ts';
import { toReplica } from './forwarded-headers.ts';
import { ReplicaConnections } from './replica-connections.ts';
import { standIn, type StandIn } from './replica-stand-in.fixture.ts';

interface Front {
  readonly port: number;
  readonly outcomes: Forwarded[];
  readonly connections: ReplicaConnections;
}

/** A server that forwards everything to the stand-in. */
async function frontOf(t: TestContext, replica: StandIn, onlooker: Onlooker = {}, isAgent = false): Promise<Front> {
  const connections = new ReplicaConnections({ open: replica.open, most: 4, idleMs: 1_000, isAgent });
  const outcomes: Forwarded[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const hasBody = method === 'POST';
    const headers = toReplica(rawHeaders, '127.0.0.1:8000');
    const outgoing = { method, path: url, headers, body: hasBody ? request : null };
    void forward(connections, outgoing, response, onlooker).then((outcome) => {
      outcomes.push(outcome);
      if (!response.headersSent && outcome !== 'left') response.writeHead(502).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    connections.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, outcomes, connections };
}

function ask({ port }: Front, path: string, options: { method?: string; body?: string | Buffer } = {}) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'x-forwarded-for': '1.2.3.4', authorization: 'Bearer secret' };
    const outgoing = httpRequest({ port, path, method: options.method ?? 'GET', headers }, resolve);
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

const text = async (answer: IncomingMessage): Promise<string> => String(await buffer(answer));

const IDLE_TURNS = 1_000;

/** Waits until `value` stays the same while this process, which holds both ends of every connection, looks for more to do. */
async function settled(value: () => number): Promise<void> {
  for (let turns = 0, last = value(); turns < IDLE_TURNS; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (value() !== last) [turns, last] = [0, value()];
  }
}

describe('a forwarded request', () => {
  it('reaches the replica without what callers say of themselves, and brings its answer back, on a kept connection', async (t) => {
    const replica = await standIn(t, (request, response) => {
      response.writeHead(201, 'Made', { 'X-Own': ['a', 'b'], 'Keep-Alive': 'timeout=5' });
      response.end(JSON.stringify([request.method, request.url, request.rawHeaders]));
    });
    const front = await frontOf(t, replica);
    for (let i = 0; i < 3; i += 1) {
      const answer = await ask(front, '/a%2Fb?c=d');
      assert.equal(answer.statusCode, 201);
      assert.deepEqual(answer.headers['x-own'], 'a, b');
      const sent = JSON.parse(await text(answer)) as unknown;
      assert.deepEqual(sent, ['GET', '/a%2Fb?c=d', ['host', '127.0.0.1:8000', 'connection', 'keep-alive']]);
    }
    assert.equal(replica.opened(), 1);
    assert.deepEqual(front.outcomes, ['answered', 'answered', 'answered']);
  });

  it('streams both ways, whatever its size, and no faster than its reader reads', async (t) => {
    const size = 24_000_000;
    let written = 0;
    const replica = await standIn(t, (request, response) => {
      void buffer(request).then((body) => {
        response.writeHead(200);
        const chunk = Buffer.alloc(65_536, 'x');
        const more = (): void => {
          while (written < body.length) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', more);
          }
          response.end();
        };
        more();
      });
    });
    const front = await frontOf(t, replica);
    const answer = await ask(front, '/', { method: 'POST', body: Buffer.alloc(size) });
    answer.pause();
    await settled(() => written);
    assert.ok(written < size, `${written} bytes were taken for a reader that stands still`);
    assert.ok((await buffer(answer)).length >= size);
    assert.deepEqual(front.outcomes, ['answered']);
  });

  it('shows each event of a stream before the next is made, its head before the first', async (t) => {
    let send: ((event: string) => void) | undefined;
    const replica = await standIn(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      send = (event) => void response.write(event);
    });
    const seen: string[] = [];
    const onlooker = { began: (status: number, type: string) => void seen.push(`${status} ${type}`), passed: () => {} };
    const front = await frontOf(t, replica, onlooker);
    const answer = await ask(front, '/');
    assert.deepEqual(seen, ['200 text/event-stream']);
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      send?.(event);
      const [chunk] = (await once(answer, 'data')) as [Buffer];
      assert.equal(String(chunk), event);
    }
    answer.destroy();
    const deadline = performance.now() + 5_000;
    while (front.outcomes.length === 0 && performance.now() < deadline) await new Promise((r) => setImmediate(r));
    assert.deepEqual(front.outcomes, ['left']);
  });

  it('says what became of it: not taken, lost, cut', async (t) => {
    const act: RequestListener = (request, response) => {
      if (request.url === '/lost') request.socket.destroy();
      else response.write('half', () => request.socket.destroy());
    };
    const replica = await standIn(t, act);
    const front = await frontOf(t, replica);
    assert.equal((await ask(front, '/lost')).statusCode, 502);
    await assert.rejects(ask(front, '/cut').then(text));
    replica.die();
    assert.equal((await ask(front, '/')).statusCode, 502);
    assert.deepEqual(front.outcomes, ['lost', 'cut', 'not-taken']);
  });

  it('takes the word of an agent that it was not taken, and never that of a replica', async (t) => {
    const replica = await standIn(t, (request, response) =>
      response.writeHead(503, { 'Ringfence-Refusal': request.url === '/d' ? 'draining' : 'lost' }).end('not yours'),
    );
    const front = await frontOf(t, replica, {}, true);
    assert.equal((await ask(front, '/d')).statusCode, 502);
    assert.equal((await ask(front, '/l')).statusCode, 502);
    assert.deepEqual(front.outcomes, ['not-taken', 'lost']);
    const pretending = await frontOf(t, replica);
    const answer = await ask(pretending, '/d');
    assert.deepEqual([answer.statusCode, answer.headers['ringfence-refusal']], [503, undefined]);
    assert.deepEqual(pretending.outcomes, ['answered']);
  });

  it('finds no connection when as many as may be are in use, and one again afterwards', async (t) => {
    const waiting: (() => void)[] = [];
    const replica = await standIn(t, (_, response) => void waiting.push(() => response.end('ok')));
    const front = await frontOf(t, replica);
    const four = [0, 1, 2, 3].map(() => ask(front, '/'));
    while (waiting.length < 4) await new Promise((r) => setImmediate(r));
    assert.equal((await ask(front, '/')).statusCode, 502);
    for (const end of waiting) end();
    for (const answer of four) assert.equal(await text(await answer), 'ok');
    assert.equal(replica.opened(), 4);
  });
});
