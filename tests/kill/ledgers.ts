// The two ledgers as their databases hold them, and the journals of the customer's side.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { startEmbedded } from '@ringfence/store';
import pg from 'pg';
import type { ArmedHouse } from './armed-house.ts';

/** A role with a database. */
export type Role = 'control-plane' | 'custodian';

/** Process of the role's PostgreSQL server. */
export async function serverPid({ house }: ArmedHouse, role: Role): Promise<number> {
  return (await attach(house.root, role)).pid;
}

/** Asserts that no ledger of this house says committed, or succeeded, twice of any job, and that every commit reached both. */
export async function assertOneCommitEach(armed: Pick<ArmedHouse, 'house'>): Promise<void> {
  const committed = await counts(
    armed,
    'custodian',
    `select convert_from(body, 'UTF8')::jsonb->'event'->>'job' as job from rf_cu.event where type = 'committed'`,
  );
  const succeeded = await counts(
    armed,
    'control-plane',
    `select convert_from(body, 'UTF8')::jsonb->'event'->>'job' as job from rf_cp.event
     where convert_from(body, 'UTF8')::jsonb->'event'->>'to' = 'succeeded'`,
  );
  assert.deepEqual(succeeded.toSorted(), committed.toSorted());
  assert.equal(new Set(committed).size, committed.length, 'no job is committed twice');
  assert.ok(committed.length > 0);
}

/** Asserts that the journals of agents and custodian prove all that crossed their control links. */
export async function assertWireVerified({ house }: Pick<ArmedHouse, 'house'>): Promise<void> {
  const parties = [...house.processes.keys()].filter((name) => name === 'custodian' || name.startsWith('agent-'));
  for (const party of parties) {
    const { code, stdout, stderr } = await house.cli(['wire', 'verify', '--state', join(house.root, party), '--json']);
    assert.equal(code, 0, `${party}: ${stderr}\n${stdout.slice(0, 4_000)}`);
  }
}

async function counts({ house }: Pick<ArmedHouse, 'house'>, role: Role, query: string): Promise<string[]> {
  const server = await attach(house.root, role);
  const client = new pg.Client({ connectionString: Buffer.from(server.connectionString().expose()).toString() });
  await client.connect();
  try {
    const { rows } = await client.query<{ job: string }>(query);
    return rows.map(({ job }) => job);
  } finally {
    await client.end();
  }
}

/** The server belongs to the living process of its role; this only looks. */
async function attach(root: string, role: Role): Promise<Awaited<ReturnType<typeof startEmbedded>>> {
  const server = await startEmbedded({ stateDir: join(root, role), log: silentLog, clock: systemClock });
  assert.equal(server.owned, false);
  return server;
}
