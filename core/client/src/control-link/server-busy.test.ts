import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';
import { busyDelay } from './redial-delay.ts';
import { serverBusy } from './server-busy.ts';

test('only 503 with seconds says when to come again, and nobody is sent away for ever', () => {
  const of = (statusCode: number, after?: string) =>
    serverBusy({ statusCode, headers: after === undefined ? {} : { 'retry-after': after } })?.retryAfterMs;
  assert.deepEqual([of(503, '4'), of(503, '999999999'), of(503, '0')], [4_000, 3_600_000, 0]);
  for (const other of [of(503), of(200, '4'), of(503, '-1'), of(503, 'Sun, 22 Nov 2026 00:00:00 GMT'), of(503, '1e3')])
    assert.equal(other, undefined);
});

test('who was sent away comes when it was told to and a while of its own later, within a minute and that while', () => {
  const rng = seededRng('busy');
  const waits = Array.from({ length: 2_000 }, () => busyDelay(4_000, 15_000, rng));
  assert.ok(Math.min(...waits) >= 4_000 && Math.max(...waits) < 19_000);
  assert.ok(new Set(waits).size > 1_000, 'not as one');
  assert.ok(busyDelay(3_600_000, 15_000, rng) < 75_000);
});

test('a party that a busy control plane sends away comes back by itself, no earlier than it was told', async (t) => {
  const clock = fastClock(10);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  controlPlane.busy = 2;
  const identity = newParty();
  controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const from = clock.monotonic();
  const { link } = dial(t, controlPlane, { identity, folder: temporaryFolder(t), clock, firstDelayMs: 2_000 });
  await until(() => link.state === 'up', 'the link');
  assert.equal(controlPlane.connections, 1);
  assert.ok(clock.monotonic() - from >= 4_000);
});
