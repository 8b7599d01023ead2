import type { Clock, JobId, MonotonicMs } from '@ringfence/base';
import { LONGEST_LEASE_MS, type PlacementPart } from '@ringfence/protocol/statements';

/** What the custodian gives an agent that may be paused or have a slow clock, beyond its lease. */
export const LEASE_GRACE_MS = 15_000;

/** `ends_by` of an attempt that an officer has fenced. */
export const FENCED = 0;

/** What a row says of when an attempt ends. */
export interface AttemptRow {
  readonly job: JobId;
  readonly attempt: number;
  readonly granted_at: number;
  readonly stopped: unknown;
  readonly ends_by: number | null;
}

/**
 * By when an honest agent whose lease nobody renews has ended the attempt, as the wall clock stood at the grant; null for one that goes on
 * without a lease (`keep`), which only a signed `stopped` or a fence ends (invariant 5). What counts is how long that is after the grant.
 */
export function endsBy(
  { onPartition }: Pick<PlacementPart, 'onPartition'>,
  { grantedAt, ttlMs }: { grantedAt: number; ttlMs: number },
): number | null {
  return onPartition === 'keep' ? null : grantedAt + ttlMs + LEASE_GRACE_MS;
}

/** The length of the lease that an attempt was granted with; of one whose row does not tell (`keep`, a fence), that of the longest there is. */
export function longestLease(row: Pick<AttemptRow, 'granted_at' | 'ends_by'>): number {
  const length = row.ends_by === FENCED ? undefined : lengthOf(row);
  return length === undefined ? LONGEST_LEASE_MS : Math.max(0, length - LEASE_GRACE_MS);
}

/**
 * When the leases of granted attempts end by this process's monotonic clock: a wall clock that is set ends none before its time (invariant 5),
 * and keeps none for longer. What was granted before this process began counts from its beginning.
 */
export class LeaseEnds {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #began: MonotonicMs;
  /** Of what this process granted or heard of, as long as it may run. */
  readonly #ends = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** Notes a grant, before it is committed, or an agent's own word that what it was granted goes on: from now on it may for its whole length. */
  runs(row: AttemptRow): void {
    const now = this.#clock.monotonic();
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
    const length = lengthOf(row);
    if (length !== undefined) this.#ends.set(keyOf(row), now + length);
  }

  /** Whether an attempt may still run. */
  mayRun(row: AttemptRow): boolean {
    if (row.stopped !== null || row.ends_by === FENCED) return false;
    const length = lengthOf(row);
    if (length === undefined) return true;
    return this.#clock.monotonic() < (this.#ends.get(keyOf(row)) ?? this.#began + length);
  }
}

function lengthOf({ granted_at, ends_by }: Pick<AttemptRow, 'granted_at' | 'ends_by'>): number | undefined {
  return ends_by === null ? undefined : Math.max(0, ends_by - granted_at);
}

function keyOf({ job, attempt }: AttemptRow): string {
  return `${job} ${attempt}`;
}
