import type { EpochMs, LockId, MemberId, OrgId } from '@ringfence/base';
import type { Proposal } from '@ringfence/policy/assurance';
import type { Lock, LocksByOrg, LockTarget } from '@ringfence/policy/locks';
import { sql, type ColumnType, type CompiledQuery, type QueryExecutorProvider } from 'kysely';

/** Who set a lock: an officer, this process over two copies of an agent, or the organisation's custodian. */
export type LockSource = 'officer' | 'fork' | 'custodian';

/** A lock that is not lifted, with what people agree to about it. */
export interface StoredLock extends Lock {
  readonly org: OrgId;
  readonly source: LockSource;
  readonly setAt: EpochMs;
  /** The device that set it, or the member where a session did; null where no person did. */
  readonly setBy: string | null;
  readonly setByMember: MemberId | null;
  readonly confirmedAt: EpochMs | null;
  readonly confirming: Proposal | null;
  readonly lifting: Proposal | null;
  /** Raised by each change: what was agreed to of an older one is void. */
  readonly term: number;
}

/** A row as the database gives it. */
export interface LockRow {
  readonly lock: string;
  readonly org: OrgId;
  readonly kind: LockTarget['kind'];
  readonly target: string;
  readonly project: string | null;
  readonly source: LockSource;
  readonly until: number | null;
  readonly set_at: number;
  readonly set_by: string | null;
  readonly set_by_member: string | null;
  readonly confirmed_at: number | null;
  readonly confirming: Proposal | null;
  readonly lifting: Proposal | null;
  readonly term: number;
}

/** The table as Kysely knows it. */
export type LockTable = Omit<LockRow, 'confirming' | 'lifting'> & {
  readonly lifted_at: number | null;
  readonly confirming: ColumnType<Proposal | null, string | null, string | null>;
  readonly lifting: ColumnType<Proposal | null, string | null, string | null>;
};

/** What of a target a row names. */
export interface TargetColumns {
  readonly kind: LockTarget['kind'];
  readonly target: string;
  readonly project: string | null;
}

/** Every lock that is not lifted; of all organisations where the connection may see all. */
export function notLifted(db: QueryExecutorProvider): CompiledQuery<LockRow> {
  return sql<LockRow>`select * from lock where lifted_at is null order by set_at, lock`.compile(db);
}

/** The locks that are not lifted in the organisation of `tx`. */
export async function readLocks(tx: QueryExecutorProvider): Promise<readonly StoredLock[]> {
  const { rows } = await tx.getExecutor().executeQuery(notLifted(tx));
  return rows.map(storedLock);
}

/** The lock that a row holds. */
export function storedLock(row: LockRow): StoredLock {
  return {
    id: row.lock as LockId,
    target: targetOf(row),
    until: row.until as EpochMs | null,
    org: row.org,
    source: row.source,
    setAt: row.set_at as EpochMs,
    setBy: row.set_by,
    setByMember: row.set_by_member as MemberId | null,
    confirmedAt: row.confirmed_at as EpochMs | null,
    confirming: row.confirming,
    lifting: row.lifting,
    term: row.term,
  };
}

/** By organisation, as a watch over locks keeps them. */
export function byOrganisation(locks: readonly StoredLock[]): LocksByOrg<StoredLock> {
  return Map.groupBy(locks, ({ org }) => org);
}

/** A target as columns. */
export function targetColumns(target: LockTarget): TargetColumns {
  switch (target.kind) {
    case 'member':
      return { kind: 'member', target: target.member, project: null };
    case 'role':
      return { kind: 'role', target: target.role, project: target.project ?? null };
    case 'device':
      return { kind: 'device', target: target.device, project: null };
    case 'agent':
      return { kind: 'agent', target: target.agent, project: null };
    case 'site':
      return { kind: 'site', target: target.site, project: null };
    case 'token':
      return { kind: 'token', target: target.token, project: null };
  }
}

/** Columns as a target: each kind keeps its id under a name of its own. */
function targetOf({ kind, target, project }: TargetColumns): LockTarget {
  return { kind, [kind]: target, ...(project === null ? {} : { project }) } as unknown as LockTarget;
}
