import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { Outcome } from '@ringfence/protocol/statements';
import { cleanUp, ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { openStore } from '../store/open-store.ts';
import { storedOffers } from './offer-rows.ts';
import { placementOffer } from './placement-offer.ts';

const HERE = { online: true, locked: false, draining: false };

test('what attempts came to, and how long they ran, is counted where they ran: reliability and time between losses come from it', async (t) => {
  const clock = new ShiftedClock();
  const { url, stateDir } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: url, clock });
  const house = new TestOrganisation(clock);
  const { client, agent } = await house.enrol(t, controlPlane);
  const { store, close } = await openStore({ stateDir, url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const stored = async () => {
    const [row = assert.fail()] = await store.withOrg(house.org, (tx) => storedOffers(tx, [house.agent.offer]));
    return row;
  };

  await ended('succeeded', 20_000);
  await ended('failed', 10_000);
  await ended('interrupted', 20_000);
  await ended('not-started');
  const row = await stored();
  assert.deepEqual([row.ended, row.lost], [3, 1], 'what never ran says nothing');
  assert.ok(row.ran_ms >= 50_000 && row.ran_ms < 110_000, `${row.ran_ms} ms`);

  const away = { ...row, body: { ...row.body, tier: 'secure-cloud' as const } };
  const read = (of: typeof row) => {
    const offer = placementOffer(of, HERE);
    if (!offer.allow) return assert.fail(JSON.stringify(offer.reasons));
    return [offer.offer.reliability, offer.offer.lossEvery];
  };
  assert.deepEqual(read({ ...away, body: { ...away.body, tier: 'private' } }), [1, undefined]);
  // (30 days + a minute) / 2 is 1,296,000 s and some: 2²⁰.
  assert.deepEqual(read(away), [3 / 4, 20]);
  assert.deepEqual(read({ ...away, body: { ...away.body, spot: true } }), [3 / 4, 15]);
  assert.deepEqual(read({ ...away, ended: 0, lost: 0, ran_ms: 0 }), [1, 21]);
  assert.deepEqual(read({ ...away, ended: 9, lost: 9, ran_ms: 0 }), [1 / 10, 17]);

  async function ended(outcome: Outcome, ranMs?: number): Promise<void> {
    const { job } = await client.submit(house.submission({ maxAttempts: 1 }));
    const status = { job, attempt: 1 } as const;
    await until('leased', async () => (await client.job(job)).state === 'leased');
    if (ranMs !== undefined) {
      await agent.send({ name: 'attempt-status', body: { ...status, state: 'running' } });
      await until('running', async () => (await client.job(job)).state === 'running');
      clock.shift(ranMs);
    }
    const before = (await stored()).row_version;
    await agent.send({ name: 'attempt-status', body: { ...status, state: 'stopped', outcome } });
    await until('over', async () => (await stored()).row_version > before);
  }
});
