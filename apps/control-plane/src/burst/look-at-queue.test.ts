import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGING_MS } from '@ringfence/policy/queue';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { ShiftedClock, until } from '../control-plane.fixture.ts';
import { offerOf } from '../organisation.fixture.ts';
import { HOUR_PRICE, leaving, poolOf, startPoolHouse } from './pool.fixture.ts';

const GPUS = [{ model: 'H100', memoryBytes: 80e9, count: 2 }];
const HOUR_MS = 3_600_000;

const withGpus = (count: number): Pick<PlacementPart, 'resources'> => ({
  resources: { ...SAMPLE_PLACEMENT.resources, gpus: { model: 'H100', memoryBytes: 0, count } },
});

test('a look predicts waits from what runs at home, card by card, and asks only for those whom leaving would help', async (t) => {
  const clock = new ShiftedClock();
  const { org, client, home, away, store } = await startPoolHouse(t, { clock });
  const abroad = {
    tier: 'secure-cloud',
    isolations: ['microvm', 'gvisor'],
    price: HOUR_PRICE,
    cpuMilli: 100_000,
  } as const;
  await home.send(offerOf(org.agent, { epoch: 2, gpus: GPUS }));
  await away.send(offerOf(away.agent, { ...abroad, isolations: [...abroad.isolations], epoch: 2, gpus: GPUS }));
  // Nobody looks so often: the gate stays closed.
  await client.setPool(poolOf(org, 1, { highLooks: 1_000 }));
  assert.deepEqual((await client.pool()).queue, { waiting: 0, mayBurst: 0, longestWaitMs: 0 });
  const { job } = await client.submit(leaving(org, withGpus(2)));
  await until('it runs at home', async () => (await client.job(job)).state === 'leased');
  await home.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  await client.submit(leaving(org, withGpus(1)));
  await client.submit(leaving(org, withGpus(2)));
  await client.submit(org.submission({ sensitivity: 'restricted', placement: withGpus(1) }));
  await until('all wait', async () => (await client.pool()).queue.waiting === 3);
  const { queue, gate } = await client.pool();
  // One follows what runs now, the other needs both cards when that one has ended.
  const longest = queue.longestWaitMs ?? assert.fail();
  assert.ok(longest > 1.9 * HOUR_MS && longest <= 2 * HOUR_MS, String(longest));
  assert.deepEqual([queue.mayBurst, gate.state], [2, 'closed']);
  // What has waited long enough goes before what asked for more priority.
  const old = await client.submit(
    org.submission({ sensitivity: 'restricted', placement: { ...withGpus(2), priority: 40 } }),
  );
  const longestNow = async () => (await client.pool()).queue.longestWaitMs ?? assert.fail();
  await until('it waits too', async () => (await client.pool()).queue.waiting === 4);
  assert.ok((await longestNow()) <= 2 * HOUR_MS);
  await store.withOrg(org.org, (tx) =>
    tx
      .updateTable('job')
      .set(({ eb }) => ({ submitted_at: eb('submitted_at', '-', 20 * AGING_MS) }))
      .where('job', '=', old.job)
      .execute(),
  );
  assert.ok((await longestNow()) > 2.9 * HOUR_MS);
  await client.submit(leaving(org, { resources: { ...SAMPLE_PLACEMENT.resources, cpuMilli: 8_000 } }));
  await until('home could never take it', async () => (await client.pool()).queue.longestWaitMs === null);
  await client.submit(leaving(org, { resources: { ...SAMPLE_PLACEMENT.resources, cpuMilli: 500_000 } }));
  await until('nobody could', async () => (await client.pool()).queue.waiting === 6);
  assert.equal((await client.pool()).queue.mayBurst, 3);
  // Of more than 32 kinds the first are looked at, and others of theirs.
  for (let extra = 0; extra < 28; extra += 1)
    await client.submit(leaving(org, { resources: { ...SAMPLE_PLACEMENT.resources, cpuMilli: 600_000 + extra } }));
  await until('32 kinds wait', async () => (await client.pool()).queue.waiting === 32);
  await client.submit(leaving(org, { ...withGpus(2), priority: 1 }));
  await until('one more of the first', async () => (await client.pool()).queue.waiting === 33);
});
