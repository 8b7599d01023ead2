import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ManualClock, newId, silentLog, systemRng as rng } from '@ringfence/base';
import { ClientError } from '@ringfence/client/payload-link';
import type { HeldLocks } from '@ringfence/protocol/payload';
import { FollowedLocks } from './followed-locks.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Questions that a test answers one by one. */
function asked() {
  const waiting: PromiseWithResolvers<HeldLocks>[] = [];
  const after: number[] = [];
  const heldLocks = (seq: number): Promise<HeldLocks> => {
    const one = Promise.withResolvers<HeldLocks>();
    after.push(seq);
    waiting.push(one);
    return one.promise;
  };
  return { waiting, after, custodian: { heldLocks, close: () => {} } };
}

test('what the custodian says last counts, also while it is out of reach, and locks end by themselves', async () => {
  const clock = new ManualClock();
  const { waiting, after, custodian } = asked();
  let changes = 0;
  const locks = new FollowedLocks({ custodian, clock, log: silentLog, onChanged: () => (changes += 1) });
  const [device, agent, ended] = [newId('device', rng), newId('agent', rng), newId('device', rng)];
  locks.start();
  assert.equal(locks.cuts(device), false);
  const soon = epochMs(clock.now() + 1_000);
  waiting[0]?.resolve({
    seq: 7,
    devices: [
      { device, until: null },
      { device: ended, until: soon },
    ],
    agents: [{ agent, until: null }],
    roles: [{ role: 'operator', project: null, until: soon }],
  });
  await settle();
  assert.deepEqual([locks.cuts(device), locks.cuts(agent), locks.cuts(ended), changes], [true, true, true, 1]);
  assert.deepEqual([...locks.suspended], ['operator']);
  waiting[1]?.reject(new ClientError('unreachable', 'away'));
  await settle();
  clock.advance(1_000);
  await settle();
  assert.deepEqual([locks.cuts(device), locks.cuts(ended), locks.suspended.size], [true, false, 0]);
  assert.deepEqual(after, [0, 7, 7], 'it asks again, after the list that it has');
  waiting[2]?.resolve({ seq: 8, devices: [], agents: [], roles: [] });
  await settle();
  assert.deepEqual([locks.cuts(device), changes], [false, 2]);
  locks.stop();
});
