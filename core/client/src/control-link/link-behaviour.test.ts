import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { sampleOffer } from '@ringfence/protocol/samples';
import { acceptLink } from './accept-link.ts';
import type { DurableControlMessage, DurablePartyMessage } from './accept-link-options.ts';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

const job = newId('job', systemRng);
const offer = (epoch: number): DurablePartyMessage => ({ name: 'offer', body: sampleOffer({ epoch }) });
const stop = (attempt: number): DurableControlMessage => ({
  name: 'stop',
  body: { job, attempt, graceMs: 0, reason: 'requested' },
});

async function house(t: TestContext, speed = 40) {
  const clock = fastClock(speed);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  return { clock, controlPlane, row, setup: { identity, folder: temporaryFolder(t), clock } };
}

test('a sender that has used its budget waits, and nobody hangs up', async (t) => {
  const { clock, controlPlane, row, setup } = await house(t, 60);
  const { link } = dial(t, controlPlane, setup);
  await until(() => link.state === 'up', 'the link');
  const from = clock.monotonic();
  const frames = 60;
  for (let epoch = 1; epoch <= frames; epoch += 1) void link.send(offer(epoch));
  await until(() => row.received === frames, 'all offers', 60_000);
  const minutes = (clock.monotonic() - from) / 60_000;
  const bytes = frames * 1_024;
  assert.ok(minutes > (frames * 512 - 16_384) / 16_384 - 0.1, `${minutes} minutes for more than ${bytes / 2} bytes`);
  assert.equal(controlPlane.connections, 1);
});

test('what a handler refuses comes again; what it did once is not done twice', async (t) => {
  const { controlPlane, row, setup } = await house(t);
  const seen: number[] = [];
  let refuse = 2;
  const { link } = dial(t, controlPlane, {
    ...setup,
    onMessage: async (message) => {
      if (message.name !== 'stop') return undefined;
      if (message.body.attempt === 2 && refuse > 0) {
        refuse -= 1;
        throw new Error('not now');
      }
      seen.push(message.body.attempt);
      return undefined;
    },
  });
  await until(() => link.state === 'up', 'the link');
  for (const attempt of [1, 2, 3]) controlPlane.enqueue(row, stop(attempt));
  await until(() => row.acknowledged === 3, 'all acknowledged');
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(refuse, 0);
});

test('who is about to stop can wait until all that was said is acknowledged, and waits for nobody who is not there', async (t) => {
  const { clock, controlPlane, row, setup } = await house(t);
  const { link, journal } = dial(t, controlPlane, setup);
  await link.send(offer(1));
  const from = clock.monotonic();
  if (link.state !== 'up') await link.told(60_000_000);
  assert.ok(clock.monotonic() - from < 60_000_000, 'without a link there is nothing to wait for');
  await until(() => link.state === 'up', 'the link');
  for (let epoch = 2; epoch <= 20; epoch += 1) await link.send(offer(epoch));
  await link.told(60_000_000);
  assert.deepEqual([row.received, journal.state.unacknowledged.length], [20, 0]);
});

test('a control plane that lost its newest rows gets the messages again that it had acknowledged', async (t) => {
  const { controlPlane, row, setup } = await house(t);
  const first = dial(t, controlPlane, setup);
  for (let epoch = 1; epoch <= 3; epoch += 1) await first.link.send(offer(epoch));
  await until(() => row.received === 3 && first.journal.state.acknowledged === 3, 'three offers');
  const saved = row.last;
  await first.close();
  row.received = 1;
  row.messages.splice(1);
  row.last = saved;
  const again = dial(t, controlPlane, setup);
  await until(() => row.received === 3, 'the lost two');
  await again.link.send(offer(4));
  await until(() => row.received === 4, 'and a new one');
  assert.deepEqual(
    row.messages.map(({ message }) => (message.name === 'offer' ? message.body.epoch : 0)),
    [1, 2, 3, 4],
  );
});

test('counters of an attempt change at most once a minute on the wire', async (t) => {
  const { clock, controlPlane, row, setup } = await house(t, 200);
  controlPlane.heartbeatMs = 2_000;
  const beats: { at: number; memory: number }[] = [];
  controlPlane.serve = (socket) =>
    acceptLink({
      ...controlPlane.options(socket),
      onHeartbeat: async ({ attempts }) => {
        beats.push({ at: clock.monotonic(), memory: attempts[0]?.memory ?? -1 });
        return [];
      },
    });
  let memory = 0;
  dial(t, controlPlane, {
    ...setup,
    heartbeat: () => {
      memory = (memory + 1) % 64;
      return { attempts: [{ job, attempt: 1, memory, cpu: 0 }] };
    },
  });
  const changes = () => beats.filter((beat, index) => index > 0 && beat.memory !== beats[index - 1]?.memory);
  await until(() => changes().length >= 3, 'three changes', 60_000);
  const times = changes().map(({ at }) => at);
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  assert.ok(
    gaps.every((gap) => gap > 55_000),
    `gaps of ${gaps.join(', ')} ms`,
  );
  assert.ok(beats.length > 20);
  assert.equal(row.locked, false);
});

test("a message that no frame holds, or that is not this role's, is never stored", async (t) => {
  const { controlPlane, setup } = await house(t);
  const { link, journal } = dial(t, controlPlane, setup);
  const { seq } = journal.point;
  await assert.rejects(link.send({ name: 'committed', body: { job, attempt: 1 } }), TypeError);
  await assert.rejects(
    link.send({ ...offer(1), body: { ...offer(1).body, epoch: 0 } } as DurablePartyMessage),
    TypeError,
  );
  await assert.rejects(
    link.record({ name: 'x', body: {}, queue: [{ name: 'heartbeat', body: { attempts: [] } } as never] }),
    TypeError,
  );
  assert.equal(journal.state.queued, 0);
  assert.ok(journal.point.seq - seq < 5);
});

test("a link ends with the control plane's online keys, and comes back with the next ones", async (t) => {
  const { controlPlane, row, setup } = await house(t, 100);
  controlPlane.heartbeatMs = 2_000;
  controlPlane.keysLifetime = 60_000;
  const downs: unknown[] = [];
  const quiet = (): void => {};
  const log = { debug: quiet, warn: quiet, error: quiet, info: (_: string, fields?: object) => downs.push(fields) };
  const { link } = dial(t, controlPlane, { ...setup, log });
  await until(() => controlPlane.connections >= 2 && link.state === 'up', 'the second connection');
  assert.deepEqual(downs[1], { code: 'keys' });
  assert.equal(row.locked, false);
});
