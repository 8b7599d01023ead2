import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import test from 'node:test';
import { newId, randomBelow, seededRng, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import type { DurableControlMessage, DurablePartyMessage } from './accept-link-options.ts';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { FaultyRelay } from './faulty-relay.fixture.ts';
import type { StoredFact } from './link-journal.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';

const job = newId('job', systemRng);
const MESSAGES = 60;

const status = (attempt: number): DurablePartyMessage => ({
  name: 'attempt-status',
  body: { job, attempt, state: 'running' },
});
const stop = (attempt: number): DurableControlMessage => ({
  name: 'stop',
  body: { job, attempt, graceMs: 0, reason: 'requested' },
});

test('durable messages arrive exactly once and in order, whatever breaks and whoever restarts', async (t) => {
  const seed = process.env['RINGFENCE_FUZZ_SEED'] ?? String(randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const rng = seededRng(seed);
  const clock = fastClock(40);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  let faults = 30;
  const relay = new FaultyRelay(controlPlane.port, () => {
    faults -= 1;
    // A handshake takes some 14 KB of TLS and frames: some die in it, most a few messages later.
    return faults > 0 ? 500 + randomBelow(rng, 30_000) : Number.POSITIVE_INFINITY;
  });
  const port = await relay.listen();
  t.after(() => relay.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const folder = temporaryFolder(t);
  const effects: number[] = [];
  const begin = () => {
    effects.length = 0;
    return dial(t, controlPlane, {
      identity,
      folder,
      clock,
      url: `https://127.0.0.1:${port}`,
      onFact: ({ name, body }: StoredFact) => void (name === 'stop-taken' && effects.push(Number(body['attempt']))),
      onMessage: async (message) => {
        if (message.name !== 'stop') return undefined;
        effects.push(message.body.attempt);
        return {
          name: 'stop-taken',
          body: { attempt: message.body.attempt },
          queue: [status(1_000 + message.body.attempt)],
        };
      },
    });
  };
  let party = begin();
  for (let n = 1; n <= MESSAGES; n += 1) {
    void party.link.send(status(n));
    controlPlane.enqueue(row, stop(n));
    if (n % 20 !== 0) continue;
    await until(() => row.messages.length > n / 4, `some messages (${n})`, 60_000);
    await party.close();
    party = begin();
  }
  const all = (): boolean => row.messages.length === 2 * MESSAGES && effects.length === MESSAGES;
  await until(() => all() && row.outbox.length === 0, 'all messages', 120_000);
  t.diagnostic(`${controlPlane.connections} connections, ${relay.cuts} cut`);
  assert.ok(relay.cuts >= 10);
  const one = Array.from({ length: MESSAGES }, (_, index) => index + 1);
  assert.deepEqual(effects, one, 'effects at the party, each once');
  assert.deepEqual(
    row.messages.map(({ mid }) => mid),
    Array.from({ length: 2 * MESSAGES }, (_, index) => index + 1),
  );
  const attempts = row.messages.map(({ message }) => (message.name === 'attempt-status' ? message.body.attempt : 0));
  assert.deepEqual(
    attempts.filter((attempt) => attempt < 1_000),
    one,
  );
  assert.deepEqual(
    attempts.filter((attempt) => attempt > 1_000),
    one.map((attempt) => attempt + 1_000),
  );
  assert.equal(row.locked, false, 'cuts and restarts are no fork');
});
