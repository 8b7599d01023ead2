import assert from 'node:assert/strict';
import test from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import type { DurableControlMessage, DurablePartyMessage } from './accept-link-options.ts';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

const job = newId('job', systemRng);
const status = (attempt: number): DurablePartyMessage => ({
  name: 'attempt-status',
  body: { job, attempt, state: 'running' },
});
const stop = (attempt: number): DurableControlMessage => ({
  name: 'stop',
  body: { job, attempt, graceMs: 0, reason: 'requested' },
});

test('a link comes up, carries durable messages both ways, renews leases and stops', async (t) => {
  const clock = fastClock(20);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  row.leases = [{ job, attempt: 1, ttlMs: 60_000 }];
  const got: number[] = [];
  const renewals: number[] = [];
  const states: string[] = [];
  const { link, close } = dial(t, controlPlane, {
    identity,
    folder: temporaryFolder(t),
    clock,
    onState: (state) => states.push(state),
    heartbeat: () => ({ attempts: [{ job, attempt: 1, memory: 3, cpu: 4 }] }),
    onMessage: async (message, { sentAt }) => {
      if (message.name === 'stop') got.push(message.body.attempt);
      if (message.name === 'renew') renewals.push(sentAt ?? Number.NaN);
      return undefined;
    },
  });
  assert.equal(await link.send(status(1)), 1, 'stored before the link is up');
  await until(() => row.messages.length === 1, 'the first message');
  for (let attempt = 2; attempt <= 50; attempt += 1) void link.send(status(attempt));
  for (let attempt = 1; attempt <= 50; attempt += 1) controlPlane.enqueue(row, stop(attempt));
  await until(() => row.messages.length === 50 && got.length === 50 && row.acknowledged === 50, 'all messages');
  assert.deepEqual(
    row.messages.map(({ mid, message }) => [mid, message]),
    Array.from({ length: 50 }, (_, index) => [index + 1, status(index + 1)]),
  );
  assert.deepEqual(
    got,
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  await until(() => renewals.length >= 3, 'renewals');
  assert.ok(renewals.every((at) => at <= clock.monotonic()));
  assert.deepEqual(
    renewals.toSorted((a, b) => a - b),
    renewals,
  );
  await close();
  assert.deepEqual(states, ['waiting', 'dialling', 'up', 'stopped']);
  assert.equal(link.state, 'stopped');
});
