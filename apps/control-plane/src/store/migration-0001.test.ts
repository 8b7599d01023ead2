import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { JOB_STATES } from '@ringfence/protocol/api';
import { sql } from 'kysely';
import { cleanUp, startDatabase, startReplica, temporaryFolder } from '../control-plane.fixture.ts';
import { JOB_TRANSITIONS } from '../jobs/job-transitions.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { openStore } from './open-store.ts';

test('the database allows exactly the transitions of the table, and refuses all others whoever writes', async (t) => {
  const { url } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: url });
  const stateDir = temporaryFolder(t);
  const { store, close } = await openStore({ stateDir, url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const allowed = await store.withSystem('gauges', (tx) =>
    sql<{ pair: string }>`
      select before || ' ' || after as pair from unnest(${JOB_STATES}::text[]) before, unnest(${JOB_STATES}::text[]) after
      where job_may_change(before, after)`.execute(tx),
  );
  const table = Object.entries(JOB_TRANSITIONS).flatMap(([before, afters]) =>
    afters.map((after) => `${before} ${after}`),
  );
  assert.deepEqual(allowed.rows.map(({ pair }) => pair).toSorted(), table.toSorted());
  const house = new TestOrganisation();
  const { client } = await house.enrol(t, controlPlane);
  const { job } = await client.submit(house.submission({ placement: { isolation: 'microvm' } }));
  const set = (state: 'running' | 'cancelled' | 'queued') =>
    store.withOrg(house.org, (tx) => tx.updateTable('job').set({ state }).where('job', '=', job).execute());
  await assert.rejects(set('running'), { code: 'violation' });
  await set('cancelled');
  await assert.rejects(set('queued'), { code: 'violation' });
});

test('rows of one organisation are out of reach of another, whatever a query asks for', async (t) => {
  const { url } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: url });
  const { store, close } = await openStore({ stateDir: temporaryFolder(t), url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const house = new TestOrganisation();
  const { client, agent } = await house.enrol(t, controlPlane);
  await client.submit(house.submission());
  await agent.close();
  const tables = [
    'organisation',
    'party',
    'offer',
    'job',
    'attempt',
    'outbox',
    'event',
    'spent_nonce',
    'early_wish',
  ] as const;
  const counts = (org: typeof house.org) =>
    Promise.all(
      tables.map((table) =>
        store.withOrg(org, (tx) =>
          tx
            .selectFrom(table)
            .select('org')
            .execute()
            .then((rows) => rows.length),
        ),
      ),
    );
  assert.deepEqual(
    await counts(newId('org', systemRng)),
    tables.map(() => 0),
  );
  const own = await counts(house.org);
  assert.ok(own[0] === 1 && own[1] === 3 && own[3] === 1 && (own[6] ?? 0) > 5, JSON.stringify(own));
});
