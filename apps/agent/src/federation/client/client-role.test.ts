import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { epochMs, type MonotonicMs } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { RoundAnswer } from '@ringfence/protocol/payload';
import { TestFederation, type TestClient } from '../federation.fixture.ts';
import { writeMessage, type FederationMessage } from '../transport/federation-message.ts';
import type { ClientRoleParts } from './client-role.ts';

const MODEL = sha256Hex(new Uint8Array(4));

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error('over'));
    signal.addEventListener('abort', () => reject(new Error('over')), { once: true });
  });
}

/** A client, and what an aggregator that sends `messages` and takes nothing has it do. */
async function hostile(t: TestContext, messages: () => Generator<FederationMessage, void>) {
  const federation = await TestFederation.open(t);
  const over = new AbortController();
  t.after(() => over.abort());
  const said = messages();
  let taken = 0;
  const line: Awaited<ReturnType<ClientRoleParts['line']>> = {
    send: (_, signal) => untilAborted(signal),
    next: async (signal) => {
      await setImmediate();
      const { value } = said.next();
      if (value !== undefined) {
        taken += 1;
        return writeMessage(value);
      }
      return untilAborted(signal);
    },
    model: () => Promise.resolve(sent),
  };
  const client: TestClient = federation.clients[0] ?? assert.fail();
  const bytes = federation.terms.parameters * 4;
  const sent = new Uint8Array(bytes);
  return {
    bytes: sent,
    model: { digest: MODEL, bytes },
    parameters: federation.terms.parameters,
    announce: (round: number): FederationMessage => ({ kind: 'announce', round, model: { digest: MODEL, bytes } }),
    taken: () => taken,
    run: (change: Partial<ClientRoleParts> = {}) =>
      client.run(over.signal, { line: () => Promise.resolve(line), ...change }),
    stop: () => over.abort(),
  };
}

test('a frame is read when the one before it is acted upon, and no sooner', async (t) => {
  const house = await hostile(t, function* () {
    yield house.announce(1);
    for (let turn = 0; turn < 50; turn += 1) yield { kind: 'over', round: 9, outcome: 'aborted' };
    yield { kind: 'begin', round: 1 };
    for (let turn = 0; turn < 1_000; turn += 1) yield { kind: 'frame', round: 1, frame: new Uint8Array(1_000) };
  });
  // Its own `ready` is taken at the desk, its key is not.
  const running = house.run();
  for (let turn = 0; turn < 3_000; turn += 1) await setImmediate();
  assert.equal(house.taken(), 53);
  house.stop();
  await assert.rejects(running);
});

test('a leave holds ten seconds by a clock that nobody sets, and is asked for again then', async (t) => {
  const house = await hostile(t, function* () {
    yield house.announce(1);
    for (let turn = 0; turn < 50; turn += 1) yield { kind: 'over', round: 9, outcome: 'aborted' };
    yield { kind: 'begin', round: 1 };
  });
  let later = 0;
  const leaves: number[] = [];
  const running = house.run({
    clock: {
      now: () => epochMs(0),
      monotonic: () => (systemClock.monotonic() + later) as MonotonicMs,
      after: (delay, run) => systemClock.after(delay, run),
    },
    leave: (round) => {
      leaves.push(round);
      return Promise.resolve({ result: 'leave', round, notAfter: epochMs(1_000) });
    },
    train: () => {
      later = 10_001;
      return Promise.resolve(TestFederation.update(0, house.parameters));
    },
  });
  for (let turn = 0; turn < 3_000; turn += 1) await setImmediate();
  assert.deepEqual(leaves, [1, 1]);
  house.stop();
  await assert.rejects(running);
});

test('rounds that are announced faster than they are answered cost one leave', async (t) => {
  const house = await hostile(t, function* () {
    for (let round = 1; round <= 50; round += 1) yield house.announce(round);
  });
  const leaves: number[] = [];
  const answered = Promise.withResolvers<RoundAnswer>();
  const running = house.run({
    leave: (round) => {
      leaves.push(round);
      return answered.promise;
    },
    train: (_, signal) => untilAborted(signal),
  });
  for (let turn = 0; turn < 1_000; turn += 1) await setImmediate();
  assert.deepEqual(leaves, [1]);
  answered.resolve({ result: 'leave', round: 1, notAfter: epochMs(Number.MAX_SAFE_INTEGER) });
  for (let turn = 0; turn < 1_000; turn += 1) await setImmediate();
  assert.deepEqual(leaves, [1, 50]);
  house.stop();
  await assert.rejects(running);
});

test('a model that holds no numbers finishes nothing', async (t) => {
  const house = await hostile(t, function* () {
    yield { kind: 'end', outcome: 'finished', model: house.model };
  });
  house.bytes.fill(0xff);
  await assert.rejects(house.run(), { code: 'bad-response' });
});

test('an aggregator that asks for more than can be answered at once is left', async (t) => {
  const house = await hostile(t, function* () {
    for (;;) yield { kind: 'begin', round: 1 };
  });
  await assert.rejects(house.run(), { code: 'bad-response' });
  assert.equal(house.taken(), 65);
});
