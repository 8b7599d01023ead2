import type { EpochMs, LockId, OrgId } from '@ringfence/base';
import type { Officer } from '@ringfence/policy/assurance';
import { mayLock, type LockRefusal, type LockTarget } from '@ringfence/policy/locks';
import type { Decision } from '@ringfence/policy';
import { sql, type QueryExecutorProvider } from 'kysely';
import {
  storedLock,
  targetColumns,
  type LockRow,
  type LockSource,
  type StoredLock,
  type TargetColumns,
} from './stored-lock.ts';

/** A lock that an officer wants. */
export interface WantedLock {
  readonly id: LockId;
  readonly org: OrgId;
  readonly target: LockTarget;
  readonly by: Pick<Officer, 'device' | 'member'>;
  readonly officers: readonly Officer[];
  readonly now: EpochMs;
}

/** A lock that no officer set. */
export interface TakenLock {
  readonly id: LockId;
  readonly org: OrgId;
  readonly target: LockTarget;
  readonly source: Exclude<LockSource, 'officer'>;
  readonly until: EpochMs | null;
  readonly now: EpochMs;
}

/**
 * Sets an officer's lock where {@link mayLock} allows it, in a transaction that holds the organisation; `held` where one on the same target
 * holds already. One that has ended is closed by it.
 */
export async function setLock(
  tx: QueryExecutorProvider,
  { id, org, target, by, officers, now }: WantedLock,
): Promise<Decision<LockRefusal | 'held', { readonly lock: StoredLock }>> {
  const columns = targetColumns(target);
  await sql`
    update lock set lifted_at = until, term = term + 1
    where ${isOn(columns)} and source = 'officer' and lifted_at is null and until <= ${now}`.execute(tx);
  const { rows: before } = await sql<{ ended: number | null; held: boolean }>`
    select max(coalesce(lifted_at, until)) filter (where set_by_member = ${by.member}) as ended,
      coalesce(bool_or(lifted_at is null), false) as held
    from lock where ${isOn(columns)} and source = 'officer'`.execute(tx);
  if (before[0]?.held === true) return { allow: false, reasons: ['held'] };
  const allowed = mayLock({ by, target, officers, lastEndedAt: (before[0]?.ended ?? null) as EpochMs | null, now });
  if (!allowed.allow) return allowed;
  const lock = await insert(tx, { ...columns, id, org, source: 'officer', until: allowed.until, now, by });
  return lock === undefined ? { allow: false, reasons: ['held'] } : { allow: true, lock };
}

/** Sets a lock that no officer asked for; undefined where it holds already. */
export async function takeLock(
  tx: QueryExecutorProvider,
  { target, ...lock }: TakenLock,
): Promise<StoredLock | undefined> {
  return insert(tx, { ...targetColumns(target), ...lock, by: null });
}

/** Ends a lock that no officer set; undefined where none holds. */
export async function dropLock(
  tx: QueryExecutorProvider,
  { target, source, now }: Pick<TakenLock, 'target' | 'source' | 'now'>,
): Promise<StoredLock | undefined> {
  const { rows } = await sql<LockRow>`
    update lock set lifted_at = ${now}, term = term + 1
    where ${isOn(targetColumns(target))} and source = ${source} and lifted_at is null returning *`.execute(tx);
  return rows[0] === undefined ? undefined : storedLock(rows[0]);
}

/** Closes the locks of the organisation that have ended; which these were. */
export async function closeEnded(tx: QueryExecutorProvider, now: EpochMs): Promise<readonly StoredLock[]> {
  const { rows } = await sql<LockRow>`
    update lock set lifted_at = until, term = term + 1 where lifted_at is null and until <= ${now} returning *`.execute(
    tx,
  );
  return rows.map(storedLock);
}

function isOn({ kind, target, project }: TargetColumns) {
  return sql<boolean>`kind = ${kind} and target = ${target} and project is not distinct from ${project}`;
}

interface InsertedLock extends TargetColumns {
  readonly id: LockId;
  readonly org: OrgId;
  readonly source: LockSource;
  readonly until: EpochMs | null;
  readonly now: EpochMs;
  readonly by: Pick<Officer, 'device' | 'member'> | null;
}

async function insert(tx: QueryExecutorProvider, row: InsertedLock): Promise<StoredLock | undefined> {
  const { id, org, kind, target, project, source, until, now, by } = row;
  const { rows } = await sql<LockRow>`
    insert into lock (lock, org, kind, target, project, source, until, set_at, set_by, set_by_member)
    values (${id}, ${org}, ${kind}, ${target}, ${project}, ${source}, ${until}, ${now}, ${by?.device ?? null}, ${by?.member ?? null})
    on conflict do nothing returning *`.execute(tx);
  return rows[0] === undefined ? undefined : storedLock(rows[0]);
}
