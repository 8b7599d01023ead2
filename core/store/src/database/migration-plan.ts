import { createHash } from 'node:crypto';

/** One step of a schema; once released its text never changes. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly id: number;
  /** Words with dashes. */
  readonly name: string;
  /**
   * Statements that run in one transaction as the owner; role names are written `rf_owner`, `rf_app` and `rf_system`. The owner
   * itself sees no row of a table under FORCE ROW LEVEL SECURITY: a step that changes rows lifts it (`no force`) and sets it again.
   */
  readonly sql: string;
}

/** What the database says about a step that ran. */
export interface AppliedMigration {
  readonly id: number;
  readonly name: string;
  readonly checksum: string;
}

/** What is to be done, or why nothing may be. */
export type MigrationPlan =
  | { readonly allow: true; readonly pending: readonly Migration[] }
  | {
      readonly allow: false;
      readonly code: 'bad-migrations' | 'migration-changed' | 'database-newer';
      readonly reasons: readonly string[];
    };

/** SHA-256 of the step's text in hex. */
export function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}

/** Compares the steps of this release with those of the database. */
export function planMigrations(known: readonly Migration[], applied: readonly AppliedMigration[]): MigrationPlan {
  const bad = known.flatMap((step, at) => [
    ...(step.id === at + 1 ? [] : [`migration ${at + 1} has the number ${step.id}`]),
    ...(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(step.name) ? [] : [`migration ${at + 1} has no name of words with dashes`]),
  ]);
  if (bad.length > 0) return { allow: false, code: 'bad-migrations', reasons: bad };
  const newest = Math.max(0, ...applied.map(({ id }) => id));
  if (newest > known.length) {
    const reasons = [`the database is at migration ${newest}, this release knows ${known.length}`];
    return { allow: false, code: 'database-newer', reasons };
  }
  const changed = known.slice(0, newest).flatMap((step) => {
    const past = applied.find(({ id }) => id === step.id);
    if (past === undefined) return [`migration ${step.id} was left out`];
    return past.checksum === checksumOf(step) ? [] : [`migration ${step.id} is not the one that ran`];
  });
  if (changed.length > 0) return { allow: false, code: 'migration-changed', reasons: changed };
  return { allow: true, pending: known.slice(newest) };
}
