import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { canonicalBytes, newId, silentLog as log, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { openDatabase } from '@ringfence/store';
import { createTestDatabase } from '@ringfence/store/test-database';
import { sql } from 'kysely';
import { MIGRATION_0001 } from './migration-0001.ts';
import { openStore, SYSTEM_QUERIES, type SystemQuery } from './open-store.ts';
import type { CustodianTables } from './tables.ts';

test('a dataset of the release before is its first adder’s, by the ledger', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-owners-'));
  const { url, drop } = await createTestDatabase('rf_cu');
  let close = async (): Promise<void> => {};
  t.after(async () => {
    await close();
    await drop();
    rmSync(stateDir, { recursive: true, force: true });
  });
  const before = await openDatabase<CustodianTables, SystemQuery>({
    stateDir,
    clock,
    log,
    source: { url },
    schema: 'rf_cu',
    migrations: [{ id: 1, name: 'first-tables', sql: MIGRATION_0001 }],
    systemQueries: SYSTEM_QUERIES,
    sharedTables: [],
  });
  const org = newId('org', rng);
  const [first, second] = [newId('device', rng), newId('device', rng)];
  const [artifact, other] = [newId('artifact', rng), newId('artifact', rng)];
  const added = [
    { artifact, device: first },
    { artifact, device: second },
    { artifact: other, device: second },
  ];
  await before.withOrg(org, async (tx) => {
    await sql`insert into organisation (org, project, state, claim_digest, control_plane, passphrase_sealed, keyring_seq, head, head_at)
      values (${org}, ${newId('project', rng)}, 'claimed', '', '{}', true, 0, '{}', 0)`.execute(tx);
    for (const [seq, event] of added.entries()) {
      const body = Buffer.from(canonicalBytes({ event: { type: 'dataset-added', ...event } }));
      await sql`insert into event (org, seq, at, type, body, hash) values (${org}, ${seq + 1}, ${seq}, 'dataset-added', ${body}, ${String(seq)})`.execute(
        tx,
      );
    }
  });
  await before.close();
  const opened = await openStore({ stateDir, url, clock, log });
  ({ close } = opened);
  const owners = await opened.store.withOrg(org, (tx) =>
    tx.selectFrom('dataset_owner').select(['artifact', 'device']).execute(),
  );
  assert.deepEqual(
    new Map(owners.map((row) => [row.artifact, row.device])),
    new Map([
      [artifact, first],
      [other, second],
    ]),
  );
});
