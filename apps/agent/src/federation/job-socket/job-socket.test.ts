import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { JobSocket, SOCKET_NAME, type JobRound } from './job-socket.ts';
import { littleEndianBytes, littleEndianFloats } from './read-update.ts';

const MODEL = new Float32Array([0.5, -1, 2]);
const ROUND: JobRound = { round: 3, task: 'train', model: MODEL, config: { epochs: 2 } };
const never = new AbortController().signal;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Opened {
  readonly socket: JobSocket;
  readonly clock: ManualClock;
  readonly ask: (method: string, path: string, given?: AskedWith) => Promise<Answer>;
  readonly raw: () => Socket;
}

interface AskedWith {
  readonly body?: Uint8Array;
  readonly headers?: Record<string, string>;
}

async function open(t: TestContext): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'job-socket-'));
  const clock = new ManualClock();
  const socket = new JobSocket({ rounds: 5, parameters: 3, clock });
  await socket.listenIn(join(folder, 'federation'), null);
  t.after(() => {
    socket.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { socket, clock, ask, raw };

  function raw(): Socket {
    const link = connect(join(folder, 'federation', SOCKET_NAME));
    t.after(() => link.destroy());
    return link.on('error', () => {});
  }

  function ask(method: string, path: string, given: AskedWith = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const socketPath = join(folder, 'federation', SOCKET_NAME);
      const outgoing = httpRequest({ socketPath, method, path, headers: given.headers ?? {} }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(given.body);
    });
  }
}

const json = ({ body }: Answer): unknown => JSON.parse(body.toString());
const codeOf = (answer: Answer): string => (json(answer) as { error: { code: string } }).error.code;
const update = (values: readonly number[], headers: Record<string, string> = {}) => ({
  body: littleEndianBytes(new Float32Array(values)),
  headers: { 'ringfence-examples': '7', ...headers },
});

test('a round is shown, its model read, and one update taken for it', async (t) => {
  const { socket, ask } = await open(t);
  const waiting = ask('GET', '/v1/round?after=2');
  const shown = socket.show(ROUND, never);
  assert.deepEqual(json(await waiting), { round: 3, rounds: 5, task: 'train', parameters: 3, config: { epochs: 2 } });
  const model = await ask('GET', '/v1/rounds/3/model');
  assert.deepEqual(littleEndianFloats(model.body), MODEL);
  const headers = { 'ringfence-metrics': '{"loss":0.25}' };
  assert.equal((await ask('PUT', '/v1/rounds/3/update', update([1, 2, 3], headers))).status, 204);
  assert.deepEqual(await shown, { examples: 7, metrics: { loss: 0.25 }, values: new Float32Array([1, 2, 3]) });
  assert.equal(codeOf(await ask('PUT', '/v1/rounds/3/update', update([1, 2, 3]))), 'round-over');
  assert.equal(codeOf(await ask('GET', '/v1/rounds/3/model')), 'round-over');
});

test('what is no update is refused in words and may be sent again', async (t) => {
  const { socket, ask } = await open(t);
  const shown = socket.show(ROUND, never);
  const put = (given: ReturnType<typeof update>) => ask('PUT', '/v1/rounds/3/update', given);
  assert.equal(codeOf(await put(update([1, 2]))), 'bad-size');
  assert.equal(codeOf(await put(update([1, 2, 3, 4]))), 'bad-size');
  assert.equal(codeOf(await put(update(Array.from({ length: 300_000 }, () => 1)))), 'bad-size');
  assert.equal(codeOf(await put(update([1, 2, Number.NaN]))), 'not-finite');
  assert.equal(codeOf(await put(update([1, 2, Number.POSITIVE_INFINITY]))), 'not-finite');
  for (const examples of ['0', '-1', '1.5', '99999999999', ''])
    assert.equal(codeOf(await put(update([1, 2, 3], { 'ringfence-examples': examples }))), 'bad-examples');
  for (const metrics of ['[]', 'null', '{"loss":"x"}', '{"loss":1e999}', '{"a b":1}', '{'])
    assert.equal(codeOf(await put(update([1, 2, 3], { 'ringfence-metrics': metrics }))), 'bad-metrics');
  assert.equal((await put(update([1, 2, 3]))).status, 204);
  assert.equal((await shown)?.examples, 7);
});

test('an update in doubles keeps all its bits', async (t) => {
  const { socket, ask } = await open(t);
  const values = new Float64Array([1 + 2 ** -40, -(2 ** 52) - 1, 0.1]);
  const shown = socket.show(ROUND, never);
  const headers = { 'ringfence-examples': '7', 'ringfence-values': 'float64' };
  const put = (body: Uint8Array) => ask('PUT', '/v1/rounds/3/update', { body, headers });
  const bytes = new Uint8Array(values.buffer);
  assert.equal(codeOf(await put(bytes.subarray(8))), 'bad-size');
  assert.equal(codeOf(await put(new Uint8Array(new Float64Array([1, 2, Infinity]).buffer))), 'not-finite');
  assert.equal((await put(bytes)).status, 204);
  assert.deepEqual((await shown)?.values, values);
});

test('an evaluation takes figures and no values', async (t) => {
  const { socket, ask } = await open(t);
  const shown = socket.show({ ...ROUND, task: 'evaluate' }, never);
  assert.equal(codeOf(await ask('PUT', '/v1/rounds/3/update', update([1, 2, 3]))), 'bad-size');
  assert.equal((await ask('PUT', '/v1/rounds/3/update', update([]))).status, 204);
  assert.equal((await shown)?.values.length, 0);
});

test('a poll waits no longer than half a minute, and hears of the end', async (t) => {
  const { socket, clock, ask } = await open(t);
  const quiet = ask('GET', '/v1/round');
  await until(() => clock.waiting === 1);
  clock.advance(30_000);
  assert.equal((await quiet).status, 204);
  const last = ask('GET', '/v1/round');
  await until(() => clock.waiting === 1);
  socket.finish();
  assert.deepEqual(json(await last), { round: 0, rounds: 5, task: 'done', parameters: 3, config: {} });
});

test('a round that is given up takes no update, and the next one follows', async (t) => {
  const { socket, ask } = await open(t);
  const given = new AbortController();
  const shown = socket.show(ROUND, given.signal);
  given.abort();
  assert.equal(await shown, undefined);
  assert.equal(codeOf(await ask('PUT', '/v1/rounds/3/update', update([1, 2, 3]))), 'round-over');
  const next = socket.show({ ...ROUND, round: 4 }, never);
  assert.equal((json(await ask('GET', '/v1/round?after=3')) as { round: number }).round, 4);
  assert.equal((await ask('PUT', '/v1/rounds/4/update', update([0, 0, 0]))).status, 204);
  assert.notEqual(await next, undefined);
});

test('a round that is shown again has a number that the job has not seen', async (t) => {
  const { socket, ask } = await open(t);
  const numberAfter = async (after: number): Promise<number> =>
    (json(await ask('GET', `/v1/round?after=${after}`)) as { round: number }).round;
  for (const [after, number] of [
    [0, 3],
    [3, 4],
    [4, 5],
  ] as const) {
    const given = new AbortController();
    const shown = socket.show(ROUND, given.signal);
    assert.equal(await numberAfter(after), number);
    assert.equal((await ask('PUT', `/v1/rounds/${number}/update`, update([1, 2, 3]))).status, 204);
    assert.equal((await shown)?.examples, 7);
  }
  void socket.show({ ...ROUND, round: 9 }, never);
  assert.equal(await numberAfter(5), 9);
});

const LARGE: JobRound = { ...ROUND, model: new Float32Array(1_000_000) };
const GET_MODEL = 'GET /v1/rounds/3/model HTTP/1.1\r\nhost: agent\r\n\r\n';

test('a job that asks again before it is answered loses its connection', async (t) => {
  const { socket, ask, raw } = await open(t);
  void socket.show(LARGE, never);
  const link = raw();
  let bytes = 0;
  link.on('data', (chunk: Buffer) => (bytes += chunk.length));
  link.write(GET_MODEL.repeat(100));
  await until(() => link.closed);
  assert.ok(bytes < 5_000_000, `${bytes} bytes came`);
  assert.equal((await ask('GET', '/v1/rounds/3/model')).body.length, 4_000_000);
});

test('one model is sent at a time', async (t) => {
  const { socket, ask, raw } = await open(t);
  void socket.show(LARGE, never);
  const unread = raw();
  unread.pause();
  unread.write(GET_MODEL);
  await until(async () => (await ask('GET', '/v1/rounds/3/model')).status === 409);
  assert.equal(codeOf(await ask('GET', '/v1/rounds/3/model')), 'busy');
  unread.destroy();
  await until(async () => (await ask('GET', '/v1/rounds/3/model')).status === 200);
});

test('nothing else is answered', async (t) => {
  const { ask } = await open(t);
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1/round?after=-1'],
    ['POST', '/v1/rounds/3/update'],
    ['GET', '/v1/rounds/3/update'],
    ['GET', '/v1/rounds/x/model'],
  ] as const)
    assert.equal((await ask(method, path)).status, 404);
});
