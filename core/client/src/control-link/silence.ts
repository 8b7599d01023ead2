import { BUDGET_BYTES } from '@ringfence/protocol/frames';

const SHORTEST = 15_000;

/**
 * Milliseconds after a heartbeat of `bytes` bytes in which the control plane has to show up: three heartbeats, at least
 * 15 s, and twice what a renewal of the same size may wait for its budget.
 */
export function silenceAllowed(heartbeatMs: number, bytes: number): number {
  return Math.max(3 * heartbeatMs, SHORTEST, Math.ceil((2 * bytes * 60_000) / BUDGET_BYTES));
}

/** Milliseconds without any frame after which a control plane takes a party for gone: a full heartbeat waits 30 s for its budget. */
export function partySilenceAllowed(heartbeatMs: number): number {
  return Math.max(3 * heartbeatMs, 90_000);
}
