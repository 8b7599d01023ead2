import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, silentLog, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { readiness, type Readiness, type ServiceSpec } from '@ringfence/protocol/payload';
import { standIn } from './replica-stand-in.fixture.ts';
import type { Replica } from './replica.ts';
import { Replicas } from './replicas.ts';

/** A replica whose program answers by `handler`. */
async function replicaOf(t: TestContext, handler: RequestListener, probe?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'rf-readiness-'));
  const replicas = new Replicas({ folder, tell: async () => ({ gateways: [] }), clock, log: silentLog });
  t.after(() => {
    replicas.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const stand = await standIn(t, handler);
  const service: ServiceSpec = {
    port: 8_000,
    api: 'http',
    replicas: { min: 1, max: 1 },
    ...(probe === undefined ? {} : { probe }),
  };
  const begin = (connect = stand.open): Replica =>
    replicas.begin({ id: { job: newId('job', rng), attempt: 1 }, service, sensitivity: 'internal', connect });
  return { begin, replicas };
}

async function untilLast(replica: Replica, last: Readiness['last']): Promise<Readiness> {
  const deadline = performance.now() + 10_000;
  while (replica.readiness.last !== last) {
    assert.ok(performance.now() < deadline, `${last}, not ${replica.readiness.last}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return readiness.parse(replica.readiness);
}

test('a replica tells how it was asked and what it said, until it is ready and since when', async (t) => {
  let status = 503;
  const { begin, replicas } = await replicaOf(t, (_, response) => response.writeHead(status).end(), '/health');
  const replica = begin();
  assert.equal(replica.readiness.last, 'not-asked');
  const asked = await untilLast(replica, 'status');
  assert.deepEqual([asked.port, asked.path, asked.status, replica.takes], [8_000, '/health', 503, false]);
  status = 200;
  const ready = await untilLast(replica, 'ready');
  assert.deepEqual([ready.status, ready.since >= asked.since], [undefined, true]);
  replicas.end(replica);
});

test('one that listens nowhere, and one that hangs up, say so', async (t) => {
  const { begin, replicas } = await replicaOf(t, (request) => request.socket.destroy(), '/health');
  const deaf = begin(() => Promise.reject(new Error('nobody listens')));
  assert.equal((await untilLast(deaf, 'no-connection')).path, '/health');
  const rude = begin();
  await untilLast(rude, 'no-answer');
  replicas.end(deaf);
  replicas.end(rude);
});
