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
import { MIGRATION_0017 } from './migration-0017.ts';
import { MIGRATION_0031 } from './migration-0031.ts';
import { SYSTEM_QUERIES, type SystemQuery } from './open-store.ts';
import type { CustodianTables } from './tables.ts';

test('accusations of the release before are numbered and counted for each witness', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-accusers-'));
  const { url, drop } = await createTestDatabase('rf_cu');
  let close = async (): Promise<void> => {};
  t.after(async () => {
    await close();
    await drop();
    rmSync(stateDir, { recursive: true, force: true });
  });
  const migrations = [
    { id: 1, name: 'first-tables', sql: MIGRATION_0001 },
    { id: 2, name: 'audit-logs', sql: MIGRATION_0017 },
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
  const [one, two] = [newId('agent', rng), newId('agent', rng)];
  await before.withOrg(org, async (tx) => {
    await sql`insert into organisation (org, project, state, claim_digest, control_plane, passphrase_sealed, keyring_seq, head, head_at)
      values (${org}, ${newId('project', rng)}, 'claimed', '', '{}', true, 0, '{}', 0)`.execute(tx);
    for (const [witness, digest, at] of [
      [one, 'c', 5],
      [one, 'b', 4],
      [two, 'a', 9],
    ] as const)
      await sql`insert into audit_accusation (org, witness, digest, accusation, at) values (${org}, ${witness}, ${digest}, '{}', ${at})`.execute(
        tx,
      );
  });
  await before.close();
  const store = await open([...migrations, { id: 3, name: 'accusers-of-logs', sql: MIGRATION_0031 }]);
  close = () => store.close();
  const found = await store.withOrg(org, async (tx) => ({
    places: await tx.selectFrom('audit_accusation').select(['digest', 'place']).orderBy('digest').execute(),
    accusers: await tx.selectFrom('audit_accuser').select(['witness', 'filed']).execute(),
  }));
  assert.deepEqual(
    found.places.map(({ digest, place }) => `${digest}${place}`),
    ['a1', 'b1', 'c2'],
  );
  assert.deepEqual(
    new Map(found.accusers.map((row) => [row.witness, row.filed])),
    new Map([
      [one, 2],
      [two, 1],
    ]),
  );
});
