import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { sha256Hex } from '@ringfence/crypto/sign';
import { openDatabase } from '@ringfence/store';
import { sql } from 'kysely';
import { cleanUp, startDatabase, startReplica, temporaryFolder } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { MIGRATION_0001 } from './migration-0001.ts';
import { openStore, SYSTEM_QUERIES, type SystemQuery } from './open-store.ts';
import type { ControlPlaneTables } from './tables.ts';

test('the database lets no job be parked that is wanted or holds an attempt, whoever writes', async (t) => {
  const { url } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: url });
  const { store, close } = await openStore({ stateDir: temporaryFolder(t), url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const house = new TestOrganisation();
  const { client } = await house.enrol(t, controlPlane);
  const { job } = await client.submit(house.submission({ placement: { type: 'serve', isolation: 'microvm' } }));
  const set = (change: { state?: 'parked' | 'queued' | 'leased'; wanted?: boolean }) =>
    store.withOrg(house.org, (tx) => tx.updateTable('job').set(change).where('job', '=', job).execute());
  await assert.rejects(set({ wanted: true }), { code: 'violation' });
  await set({ wanted: true, state: 'queued' });
  await assert.rejects(set({ state: 'parked' }), { code: 'violation' });
  await set({ state: 'parked', wanted: false });
  // Within a transaction the order of writes is free: the end of it counts.
  await store.withOrg(house.org, async (tx) => {
    await tx.updateTable('job').set({ wanted: true }).where('job', '=', job).execute();
    await tx.updateTable('job').set({ state: 'queued' }).where('job', '=', job).execute();
  });
  const { agent } = house;
  await store.withOrg(house.org, (tx) =>
    sql`insert into attempt (job, attempt, org, agent, offer, state, live, cpu_milli, memory_bytes, disk_bytes, gpus,
        receipt, lease, term, lease_until)
      values (${job}, 1, ${house.org}, ${agent.id}, ${agent.offer}, 'leased', true, 1, 1, 1, '[]', '{}', '{}', 1, 1)`.execute(
      tx,
    ),
  );
  await set({ state: 'leased' });
  await assert.rejects(set({ state: 'parked', wanted: false }), { code: 'violation' });
});

test('a database of the release before is upgraded with its jobs in it', async (t) => {
  const { url } = await startDatabase(t);
  const stateDir = temporaryFolder(t);
  const parts = { stateDir, clock: systemClock, log: silentLog };
  const before = await openDatabase<ControlPlaneTables, SystemQuery>({
    ...parts,
    source: { url },
    schema: 'rf_cp',
    migrations: [{ id: 1, name: 'first-tables', sql: MIGRATION_0001 }],
    systemQueries: SYSTEM_QUERIES,
    sharedTables: ['placer_term'],
  });
  const house = new TestOrganisation();
  const { job: envelope, label, placement } = house.submission();
  const job = newId('job', systemRng);
  await before.withSystem('register-organisation', (tx) =>
    sql`insert into organisation (org, custodian, enrolment_key, registered_at)
      values (${house.org}, ${house.custodian.id}, ${house.enrolment.publicKey}, 1)`.execute(tx),
  );
  await before.withOrg(house.org, async (tx) => {
    await sql`insert into party (id, org, role, sign_key, keyring_seq)
      values (${house.device.id}, ${house.org}, 'device', ${house.device.sign.publicKey}, 1)`.execute(tx);
    await sql`insert into job (job, org, device, type, state, sensitivity, job_digest, job_envelope, label_envelope, placement,
        priority, max_attempts, submitted_at, changed_at, expires_at)
      values (${job}, ${house.org}, ${house.device.id}, 'train', 'submitted', 'internal', ${sha256Hex(new Uint8Array())},
        ${JSON.stringify(envelope)}, ${JSON.stringify(label)}, ${JSON.stringify(placement)}, 50, 3, 1, 1, ${epochMs(2)})`.execute(
      tx,
    );
    await sql`update job set state = 'queued' where job = ${job}`.execute(tx);
  });
  await before.close();
  const { store, close } = await openStore({ ...parts, url });
  cleanUp(t, close);
  const row = await store.withOrg(house.org, (tx) =>
    tx
      .selectFrom('job')
      .innerJoin('organisation', 'organisation.org', 'job.org')
      .select(['state', 'wanted', 'not_before', 'retry_reason', 'retry_counts', 'inventory_seen', 'inventory'])
      .where('job', '=', job)
      .executeTakeFirstOrThrow(),
  );
  assert.deepEqual(row, {
    state: 'queued',
    wanted: false,
    not_before: null,
    retry_reason: null,
    retry_counts: {},
    inventory_seen: null,
    inventory: 0,
  });
});
