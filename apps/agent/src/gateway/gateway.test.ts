import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener } from 'node:http';
import { connect } from 'node:tls';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { utf8 } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { sha256Hex } from '@ringfence/crypto/sign';
import { endpointHost } from '@ringfence/protocol/payload';
import { openGateway, type TestGateway } from './gateway.fixture.ts';
import { prometheusText } from './prometheus.ts';

const text = async (answer: IncomingMessage): Promise<string> => String(await buffer(answer));
const hello: RequestListener = (request, response) => {
  request.resume();
  response.end(`hello ${request.method} ${request.url}`);
};
const countsOf = ({ gateway }: TestGateway) => {
  const [counts] = gateway.metrics().endpoints;
  if (counts === undefined) throw new Error('nothing is served');
  return counts;
};

describe('a gateway', () => {
  it('serves by TLS 1.3 with the certificate of its custodian, by path and by host name', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    const [listed] = house.custodian.view.endpoints;
    const byPath = await house.call('/model/a/b?c=%20');
    assert.deepEqual([byPath.statusCode, await text(byPath)], [200, 'hello GET /a/b?c=%20']);
    assert.equal((byPath.socket as { getProtocol?: () => string }).getProtocol?.(), 'TLSv1.3');
    const host = endpointHost(listed?.endpoint ?? ('' as never));
    const byHost = await house.call('/model/x', { servername: host, headers: { host } });
    assert.equal(await text(byHost), 'hello GET /model/x');
    assert.equal(await text(await house.call('/model')), 'hello GET /');
    assert.equal(await text(await house.call('/model?q')), 'hello GET /?q');
  });

  it('keeps answers on restricted data from callers until they are released, and from the moment on that it ends', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    const listed = async (change: Parameters<typeof house.list>[0]): Promise<number> => {
      house.list(change);
      await until(() => house.custodian.taken === house.custodian.view.seq);
      const answer = await house.call('/model/x');
      await text(answer);
      return answer.statusCode ?? 0;
    };
    const [later, past] = [house.tokenEntry.expires, 1 as typeof house.tokenEntry.expires];
    const release = { members: later, devices: [], tokens: null };
    assert.equal(await listed({}), 200);
    assert.equal(await listed({ sensitivity: 'restricted' }), 403, 'no word');
    assert.equal(await listed({ release }), 403, 'a word for members alone');
    assert.equal(await listed({ release: { ...release, tokens: past } }), 403);
    assert.equal(countsOf(house).refusals['not-released'], 3);
    assert.equal(await listed({ release: { ...release, tokens: later } }), 200);
  });

  it('gives one answer to no token, a wrong one, an expired one, a revoked one and an endpoint that is not there', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    const refusal = async (path: string, token?: string | null) => {
      const answer = await house.call(path, token === undefined ? {} : { token });
      return [answer.statusCode, answer.headers['www-authenticate'], await text(answer)];
    };
    const refused = await refusal('/model/x', null);
    assert.equal(refused[0], 401);
    assert.deepEqual(await refusal('/model/x', `rfe_${'a'.repeat(43)}`), refused);
    assert.deepEqual(await refusal('/other/x'), refused);
    const seen = house.custodian.loads.length;
    house.list({ tokens: [{ ...house.tokenEntry, expires: 1 as never }] });
    await until(() => house.gateway.metrics().endpoints.length === 1 && house.custodian.loads.length >= seen);
    await until(() => countsOf(house).refusals.unauthorised >= 2);
    await until(() => house.custodian.taken === house.custodian.view.seq);
    assert.deepEqual(await refusal('/model/x'), refused);
    house.list({ tokens: [] });
    await until(() => house.custodian.taken === house.custodian.view.seq);
    assert.deepEqual(await refusal('/model/x'), refused);
  });

  it('holds a token to its limits, and says when to come again', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    house.list({ tokens: [{ ...house.tokenEntry, limits: { requestsPerMinute: 3 } }] });
    const statuses: (number | undefined)[] = [];
    let last: IncomingMessage | undefined;
    for (let i = 0; i < 8; i += 1) {
      last = await house.call('/model/x');
      statuses.push(last.statusCode);
      last.resume();
    }
    assert.ok(statuses.filter((status) => status === 200).length <= 4, String(statuses));
    assert.equal(last?.statusCode, 429);
    assert.ok(Number(last?.headers['retry-after']) >= 1);
    assert.ok(countsOf(house).refusals['limit-requests'] >= 4);
  });

  it('holds requests while there is no replica, tells the custodian at once, and answers them when there is', async (t) => {
    const house = await openGateway(t);
    const answers = [1, 2, 3].map((number) => house.call(`/model/${number}`));
    await until(() => house.custodian.loads.some(({ endpoints }) => endpoints[0]?.held === 3));
    await house.replica(hello);
    assert.deepEqual(await Promise.all(answers.map(async (answer) => text(await answer))), [
      'hello GET /1',
      'hello GET /2',
      'hello GET /3',
    ]);
    assert.deepEqual([countsOf(house).held, countsOf(house).answers['2xx']], [0, 3]);
  });

  it('answers at once for an endpoint that was scaled to 0, those that are held too, and marks its own word', async (t) => {
    const house = await openGateway(t);
    const held = house.call('/model/x');
    await until(() => countsOf(house).held === 1);
    house.list({ resting: true });
    for (const answer of [await held, await house.call('/model/x')]) {
      assert.deepEqual([answer.statusCode, answer.headers['ringfence-refusal']], [503, 'scaled-to-zero']);
      assert.match(await text(answer), /scaled to 0 by its owner/);
    }
    await house.replica((_, response) => response.writeHead(404, { 'Ringfence-Refusal': 'not-a-gateway' }).end('mine'));
    house.list({ resting: undefined });
    await until(() => house.custodian.taken === house.custodian.view.seq);
    const own = await house.call('/model/x');
    assert.deepEqual([own.statusCode, own.headers['ringfence-refusal'], await text(own)], [404, undefined, 'mine']);
  });

  it('holds so many and no more', async (t) => {
    const house = await openGateway(t);
    const held = Array.from({ length: 256 }, () => house.call('/model/x').catch(() => undefined));
    await until(() => countsOf(house).held === 256);
    const refused = await house.call('/model/x');
    assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [503, '5']);
    // Of another token's places nobody takes all.
    const other = `rfe_${'o'.repeat(43)}`;
    house.list({ tokens: [house.tokenEntry, { ...house.tokenEntry, digest: sha256Hex(utf8(other)) }] });
    await until(() => house.custodian.taken === house.custodian.view.seq);
    const one = house.call('/model/other', { token: other });
    const first = await Promise.race(held);
    assert.equal(first?.statusCode, 503);
    await house.replica(hello);
    assert.equal(await text(await one), 'hello GET /other');
    for (const answer of await Promise.all(held)) answer?.resume();
  });

  it('reaches replicas of other agents as it does its own, streams included', async (t) => {
    const house = await openGateway(t);
    let finish: (() => void) | undefined;
    await house.replica((request, response) => {
      if (request.url === '/sse') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        finish = () => void response.end('data: 2\n\n');
      } else void buffer(request).then((body) => response.end(`${request.headers.host} ${body.length}`));
    }, 'elsewhere');
    const big = await house.call('/model/up', { method: 'POST', body: Buffer.alloc(5_000_000) });
    assert.equal(await text(big), '127.0.0.1:8000 5000000');
    const small = await house.call('/model/up', { method: 'POST', body: 'abc' });
    assert.equal(await text(small), '127.0.0.1:8000 3');
    const stream = await house.call('/model/sse');
    const parts: string[] = [];
    for await (const part of stream) {
      parts.push(String(part));
      finish?.();
    }
    assert.deepEqual(parts, ['data: 1\n\n', 'data: 2\n\n']);
  });

  it('sends what was not taken elsewhere, once more what only reads, and nothing else twice', async (t) => {
    const house = await openGateway(t);
    let lost = 0;
    const loser = await house.replica((request) => {
      lost += 1;
      request.socket.destroy();
    });
    const post = await house.call('/model/x', { method: 'POST', body: 'x' });
    assert.deepEqual([post.statusCode, JSON.parse(await text(post)).error.code], [502, 'replica-lost']);
    assert.equal(lost, 1);
    const get = await house.call('/model/x');
    assert.deepEqual([get.statusCode, lost], [502, 3]);
    await house.replica(hello, 'elsewhere');
    loser.die();
    for (let i = 0; i < 20; i += 1) {
      const answer = await house.call('/model/x', { method: 'POST', body: 'x' });
      assert.deepEqual([answer.statusCode, await text(answer)], [200, 'hello POST /x']);
    }
    assert.equal(lost, 3);
  });

  it('checks OpenAI requests, lists the model, and counts tokens of plain and streamed answers', async (t) => {
    const house = await openGateway(t, { api: 'openai' });
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
    await house.replica((request, response) => {
      void buffer(request).then((body) => {
        const stream = (JSON.parse(String(body)) as { stream?: boolean }).stream === true;
        response.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
        const value = JSON.stringify({ encoding: request.headers['accept-encoding'] ?? null, usage });
        response.end(stream ? `data: ${value}\n\ndata: [DONE]\n\n` : value);
      });
    });
    const models = await house.call('/model/v1/models');
    assert.deepEqual(JSON.parse(await text(models)).data[0].id, 'model');
    const ask = (body: object) =>
      house.call('/model/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'accept-encoding': 'gzip' },
      });
    const messages = [{ role: 'user', content: 'hi' }];
    const plain = JSON.parse(await text(await ask({ model: 'model', messages }))) as { encoding: unknown };
    assert.equal(plain.encoding, null);
    await text(await ask({ model: 'model', messages, stream: true }));
    await until(() => countsOf(house).tokensIn === 10);
    assert.equal(countsOf(house).tokensOut, 4);
    const refused = await ask({ model: 'model', messages: 'secret' });
    const { error } = JSON.parse(await text(refused)) as { error: Record<string, unknown> };
    assert.deepEqual([refused.statusCode, error['type'], error['param']], [400, 'invalid_request_error', 'messages']);
    assert.ok(!JSON.stringify(error).includes('secret'));
  });

  it('counts an answer that its caller leaves before its end against the token', async (t) => {
    const house = await openGateway(t, { api: 'openai' });
    await house.replica((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    });
    house.list({ tokens: [{ ...house.tokenEntry, limits: { tokensPerMinute: 100 } }] });
    const body = JSON.stringify({ model: 'model', prompt: 'hi', max_tokens: 5_000 });
    const ask = () => house.call('/model/v1/completions', { method: 'POST', body });
    await until(() => house.custodian.taken === house.custodian.view.seq);
    const left = await ask();
    assert.equal(left.statusCode, 200);
    left.destroy();
    await until(() => countsOf(house).inFlight === 0);
    assert.equal((await ask()).statusCode, 429);
    assert.equal(countsOf(house).tokensOut, 0);
  });

  it('keeps so many bytes of bodies that it looks at and no more, and takes others when those are gone', async (t) => {
    const house = await openGateway(t, { api: 'openai' });
    await house.replica(hello);
    const { hostname: host, port } = new URL(`https://${house.gateway.bound?.host}:${house.gateway.bound?.port}`);
    const length = 4_194_304;
    const head = `POST /model/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${house.token}\r\ncontent-length: ${length}\r\n\r\n`;
    const refused: string[] = [];
    // Each says that four mebibytes come and sends none: 64 of them are all the room there is.
    const callers = Array.from({ length: 66 }, () => {
      const socket = connect({ host, port: Number(port), ca: house.custodian.authorityPem });
      socket.on('error', () => {}).on('data', (part) => refused.push(String(part).slice(0, 12)));
      socket.write(head);
      return socket;
    });
    await until(() => refused.length === 2);
    assert.deepEqual(refused, ['HTTP/1.1 503', 'HTTP/1.1 503']);
    for (const socket of callers) socket.destroy();
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
    const call = () => house.call('/model/v1/chat/completions', { method: 'POST', body });
    let { statusCode } = await call();
    for (let i = 0; i < 200 && statusCode !== 200; i += 1) ({ statusCode } = await call());
    assert.equal(statusCode, 200);
  });

  it('goes on without its custodian, and no longer than the age of its list allows', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    assert.equal((await house.call('/model/x')).statusCode, 200);
    house.custodian.away = true;
    assert.equal((await house.call('/model/x')).statusCode, 200);
    house.custodian.away = false;
    const { endpoints, at } = house.custodian.view;
    house.custodian.show(endpoints, (at - 25 * 3_600_000) as typeof at);
    let status: number | undefined = 200;
    for (let i = 0; i < 200 && status === 200; i += 1) ({ statusCode: status } = await house.call('/model/x'));
    assert.equal(status, 503);
    assert.ok(countsOf(house).refusals['stale-view'] > 0);
  });

  it('serves nobody once its custodian says that it is no gateway any more, and again when it is one', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    assert.equal((await house.call('/model/x')).statusCode, 200);
    house.custodian.forbid();
    await until(() => house.gateway.metrics().endpoints.length === 0);
    assert.equal((await house.call('/model/x')).statusCode, 401);
    house.custodian.allowed = true;
    await until(() => house.gateway.metrics().endpoints.length === 1);
    assert.equal((await house.call('/model/x')).statusCode, 200);
  });

  it('refuses messages whose end could be read in two ways, and shows names to nobody on the machine', async (t) => {
    const house = await openGateway(t);
    await house.replica(hello);
    const raw = (message: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: house.gateway.bound?.port ?? 0, rejectUnauthorized: false });
        let got = '';
        socket.on('data', (chunk: Buffer) => (got += String(chunk)));
        socket.on('close', () => resolve(got.split('\r\n')[0] ?? ''));
        socket.on('error', reject);
        socket.write(message);
      });
    const head = `POST /model/x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${house.token}\r\n`;
    const smuggled = [
      'content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'content-length: 4\r\ncontent-length: 5\r\n\r\nabcde',
      'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      'content-length: +4\r\n\r\nabcd',
      'x : y\r\n\r\n',
      'transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
    ];
    for (const rest of smuggled) assert.equal(await raw(head + rest), 'HTTP/1.1 400 Bad Request', rest);
    const scraped = prometheusText(house.gateway.metrics().endpoints);
    assert.match(scraped, /ringfence_gateway_answers_total\{endpoint="end_/);
    assert.ok(!scraped.includes('"model"'));
  });
});
