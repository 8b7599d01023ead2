import type { JobId, MonotonicMs, OrgId } from '@ringfence/base';

/** A live attempt and how often its lease was renewed, as a row says it. */
export interface LeaseRow {
  readonly org: OrgId;
  readonly job: JobId;
  readonly attempt: number;
  readonly renewals: number;
}

/** Since when this process has seen a lease at this count. */
export interface SeenLease {
  readonly renewals: number;
  readonly since: MonotonicMs;
}

/** What a process has seen of all live attempts; empty when it starts. */
export type SeenLeases = ReadonlyMap<string, SeenLease>;

/**
 * Which leases nobody renewed for `silence` milliseconds, as this process itself watched by its monotonic clock: no clock that is set, here or
 * at another replica, ends an attempt that runs or keeps one that is gone. `rows` are all live attempts as read before `now`.
 */
export function watchLeases<Row extends LeaseRow>(
  seen: SeenLeases,
  rows: readonly Row[],
  { now, silence }: { readonly now: MonotonicMs; readonly silence: number | ((row: Row) => number) },
): { readonly seen: SeenLeases; readonly silent: readonly Row[] } {
  const next = new Map<string, SeenLease>();
  const silent: Row[] = [];
  for (const row of rows) {
    const key = `${row.job} ${row.attempt}`;
    const before = seen.get(key);
    const entry = before?.renewals === row.renewals ? before : { renewals: row.renewals, since: now };
    next.set(key, entry);
    if (now - entry.since >= (typeof silence === 'number' ? silence : silence(row))) silent.push(row);
  }
  return { seen: next, silent };
}

/** At most `most` of `rows`: organisations take turns, so that one whose changes fail, or that has many, holds up no other. */
export function inTurns<Row extends { readonly org: OrgId }>(rows: readonly Row[], most: number): Row[] {
  const byOrg = [...Map.groupBy(rows, ({ org }) => org).values()];
  const longest = Math.max(0, ...byOrg.map(({ length }) => length));
  const turns = Array.from({ length: longest }, (_, turn) => byOrg.flatMap((of) => of[turn] ?? []));
  return turns.flat().slice(0, most);
}
