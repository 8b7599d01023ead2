import type { PlacementPart } from '@ringfence/protocol/statements';

/** What the custodian gives an agent that may be paused or have a slow clock, beyond its lease. */
export const LEASE_GRACE_MS = 15_000;

/**
 * By when, on the custodian's own clock, an honest agent whose lease nobody renews has ended the attempt; null for one that goes on
 * without a lease (`keep`), which only a signed `stopped` ends (invariant 5).
 */
export function endsBy(
  { onPartition }: Pick<PlacementPart, 'onPartition'>,
  { grantedAt, ttlMs }: { grantedAt: number; ttlMs: number },
): number | null {
  return onPartition === 'keep' ? null : grantedAt + ttlMs + LEASE_GRACE_MS;
}

/** Whether an attempt may still run at `now`. */
export function mayRun(attempt: { readonly stopped: unknown; readonly ends_by: number | null }, now: number): boolean {
  return attempt.stopped === null && (attempt.ends_by === null || now < attempt.ends_by);
}
