import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { poolOf, startPoolHouse } from '../burst/pool.fixture.ts';
import { MIGRATION_0014 } from './migration-0014.ts';

test('a pool of the release before is counted from its first terms, and where they are not told from those in force', async (t) => {
  const { org, client, store } = await startPoolHouse(t);
  const before = org.clock.now();
  await client.setPool(poolOf(org, 1));
  const first = org.clock.now();
  await client.setPool(poolOf(org, 2));
  const fill = /update pool [^;]*;/.exec(MIGRATION_0014)?.[0] ?? assert.fail();
  const counted = (statement: string) =>
    store.withOrg(org.org, async (tx) => {
      await tx.updateTable('pool').set({ counted_from: null }).execute();
      await sql.raw(statement).execute(tx);
      return (await tx.selectFrom('pool').select('counted_from').executeTakeFirstOrThrow()).counted_from ?? 0;
    });
  const told = await counted(fill);
  assert.ok(before <= told && told <= first, 'the first terms');
  const untold = await counted(fill.replace("'pool-set'", "'none'"));
  assert.ok(first <= untold && untold <= org.clock.now(), 'those in force');
});
