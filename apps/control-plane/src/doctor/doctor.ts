import { judgeProduction, lookAtDatabase, type DatabaseFacts, type ProductionReason } from '@ringfence/store';
import type { StartParts } from '../start.ts';
import { SCHEMA } from '../store/open-store.ts';

/** What is wrong with a database for production, and what to do. */
const REASONS: Readonly<Record<ProductionReason, { readonly detail: string; readonly remedy: string }>> = {
  'embedded-database': {
    detail: 'it is the embedded PostgreSQL, which bundles an old OpenSSL and has no replica',
    remedy: 'run a PostgreSQL server and set DATABASE_URL: docs/operate/database.md',
  },
  'unprotected-connection': {
    detail: 'the way to it is not protected: whoever sits between reads and changes rows',
    remedy: 'write sslmode=verify-full, and sslrootcert for an authority of your own, into DATABASE_URL',
  },
  'not-durable': {
    detail: 'it may lose what it acknowledged when the power fails',
    remedy: 'set fsync, full_page_writes and synchronous_commit on',
  },
  'superuser-url': {
    detail: 'DATABASE_URL names a superuser',
    remedy: 'make a user that may create roles and owns the database, no more: docs/operate/database.md',
  },
};

/** What the doctor says, and whether production may rely on it. */
export interface Diagnosis {
  readonly fit: boolean;
  readonly lines: readonly string[];
}

/** Judges the database beside a running control plane or while it is stopped; it only looks, and makes and migrates nothing. */
export async function diagnose({
  config,
  clock,
  log,
}: Pick<StartParts, 'config' | 'clock' | 'log'>): Promise<Diagnosis> {
  const { databaseUrl, production } = config;
  // What is wrong with that one follows from this release; it need not run, and is not made.
  if (databaseUrl === undefined) return unfit(['embedded-database'], production);
  return judge(await lookAtDatabase(databaseUrl, { schema: SCHEMA, clock, log }), production);
}

/** The verdict on a database in lines for people; what does for a try is marked ✗ with `production`, else !. */
export function judge(facts: DatabaseFacts, production: boolean): Diagnosis {
  const verdict = judgeProduction(facts);
  if (verdict.allow) return { fit: true, lines: [`✓ database: PostgreSQL ${facts.serverVersion}`] };
  return unfit(verdict.reasons, production);
}

function unfit(reasons: readonly ProductionReason[], production: boolean): Diagnosis {
  const sign = production ? '✗' : '!';
  const lines = reasons.flatMap((reason) => {
    const { detail, remedy } = REASONS[reason];
    return [`${sign} database: ${detail}`, `    ${remedy}`];
  });
  return { fit: false, lines };
}
