import type { Clock, Log } from '@ringfence/base';
import type pg from 'pg';
import { StoreError } from '../store-error.ts';
import { translateFailure } from './failure.ts';
import { lockKey } from './advisory-lock.ts';
import { checksumOf, planMigrations, type AppliedMigration, type Migration } from './migration-plan.ts';
import { withRoleNames, type RoleNames } from './role-names.ts';

const NEXT = {
  'bad-migrations': 'this release is broken: install another',
  'migration-changed': 'start the release that made this database, or restore a backup',
  'database-newer': 'start the newer release; a database never goes back',
} as const;

/** What the migration runner needs. */
export interface MigrationRun {
  /** A connection of the owner. */
  readonly client: pg.Client;
  readonly schema: string;
  readonly roles: RoleNames;
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Brings the schema up to date: each step in one transaction under the schema's advisory lock, so that of several processes one runs
 * it and the others find it done. Returns how many steps ran here. Throws `bad-migrations`, `migration-changed`, `database-newer`,
 * `migration-failed`.
 */
export async function migrate(run: MigrationRun): Promise<number> {
  for (let count = 0; count <= run.migrations.length; count += 1) {
    const since = run.clock.monotonic();
    const done = await runNext(run);
    if (done === undefined) return count;
    const duration = Math.round(run.clock.monotonic() - since);
    run.log.info('database.migrated', { count: done.id, state: done.name, duration_ms: duration });
  }
  return run.migrations.length;
}

async function runNext({ client, schema, roles, migrations }: MigrationRun): Promise<Migration | undefined> {
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1::bigint)', [lockKey(schema, 'migrations')]);
    await client.query(
      `create table if not exists ${schema}.migration
       (id integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`,
    );
    const applied = await client.query<AppliedMigration>(
      `select id, name, checksum from ${schema}.migration order by id`,
    );
    const plan = planMigrations(migrations, applied.rows);
    if (!plan.allow) throw new StoreError(plan.code, plan.reasons.join('; '), { next: NEXT[plan.code] });
    const step = plan.pending[0];
    if (step !== undefined) {
      await applyStep(client, withRoleNames(step.sql, roles), step);
      const row = [step.id, step.name, checksumOf(step)];
      await client.query(`insert into ${schema}.migration (id, name, checksum) values ($1, $2, $3)`, row);
    }
    await client.query('commit');
    return step;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

async function applyStep(client: pg.Client, sql: string, step: Migration): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    const { sqlState, constraint, code, cause } = translateFailure(error);
    if (code === 'unavailable') throw error;
    throw new StoreError(
      'migration-failed',
      `migration ${step.id} (${step.name}) failed${sqlState ? ` (SQLSTATE ${sqlState})` : ''}`,
      {
        cause,
        sqlState,
        constraint,
        next: 'nothing of it was applied: see the cause, then start again',
      },
    );
  }
}
