import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId, silentLog as log, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { openDatabase } from '@ringfence/store';
import { createTestDatabase } from '@ringfence/store/test-database';
import { sql } from 'kysely';
import { MIGRATION_0001 } from './migration-0001.ts';
import { MIGRATION_0025 } from './migration-0025.ts';
import { MIGRATION_0032 } from './migration-0032.ts';
import { SYSTEM_QUERIES, type SystemQuery, type Tx } from './open-store.ts';
import type { CustodianTables } from './tables.ts';

test('a model that a federation made before its lineage was kept is kin of its data after the upgrade', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-lineage-'));
  const { url, drop } = await createTestDatabase('rf_cu');
  let close = async (): Promise<void> => {};
  t.after(async () => {
    await close();
    await drop();
    rmSync(stateDir, { recursive: true, force: true });
  });
  const migrations = [
    { id: 1, name: 'first-tables', sql: MIGRATION_0001 },
    { id: 2, name: 'privacy-ledger', sql: MIGRATION_0025 },
  ];
  const open = (steps: typeof migrations) =>
    openDatabase<CustodianTables, SystemQuery>({
      stateDir,
      clock,
      log,
      source: { url },
      schema: 'rf_cu',
      migrations: steps,
      systemQueries: SYSTEM_QUERIES,
      sharedTables: [],
    });
  const before = await open(migrations);
  const org = newId('org', rng);
  const [data, model, kin] = [newId('artifact', rng), newId('artifact', rng), newId('artifact', rng)];
  await before.withOrg(org, async (tx) => {
    await sql`insert into organisation (org, project, state, claim_digest, control_plane, passphrase_sealed, keyring_seq, head, head_at)
      values (${org}, ${newId('project', rng)}, 'claimed', '', '{}', true, 0, '{}', 0)`.execute(tx);
    for (const [at, artifact] of [data, model, kin].entries())
      await sql`insert into artifact (artifact, org, kind, name_index, name_box)
        values (${artifact}, ${org}, ${artifact === data ? 'dataset' : 'output'}, ${`${at}`}, '')`.execute(tx);
    await addJob(tx, { org, data, made: model, placement: { type: 'federate' } });
    await addJob(tx, { org, data, made: kin, placement: {} });
    // Of this one the release before said so.
    await sql`insert into privacy_lineage (artifact, source, org, cause, at) values (${kin}, ${data}, ${org}, 'output', 7)`.execute(
      tx,
    );
  });
  await before.close();
  const store = await open([...migrations, { id: 3, name: 'lineage-of-federations', sql: MIGRATION_0032 }]);
  close = () => store.close();
  const found = await store.withOrg(org, (tx) =>
    tx.selectFrom('privacy_lineage').select(['artifact', 'source', 'cause', 'at']).orderBy('at').execute(),
  );
  assert.deepEqual(found, [
    { artifact: model, source: data, cause: 'output', at: 0 },
    { artifact: kin, source: data, cause: 'output', at: 7 },
  ]);
});

/** An attempt that mounted `data`, of a job with one output. */
async function addJob(
  tx: Tx,
  { org, data, made, placement }: { org: string; data: string; made: string; placement: Record<string, string> },
): Promise<void> {
  const job = newId('job', rng);
  await sql`insert into job (job, org, device, name_box, at, job_digest, job_envelope, label_envelope, placement, workload)
    values (${job}, ${org}, 'd', '', 1, '', '{}', '{}', ${JSON.stringify(placement)}, '')`.execute(tx);
  await sql`insert into job_output (job, position, org, artifact, version) values (${job}, 0, ${org}, ${made}, 1)`.execute(
    tx,
  );
  await sql`insert into attempt (job, attempt, org, agent, epoch, lease_digest, grant_envelope, payload, mounts, granted_at)
    values (${job}, 1, ${org}, 'a', 1, '', '{}', '', ${JSON.stringify([{ artifact: data, path: 'data' }])}, 1)`.execute(
    tx,
  );
}
