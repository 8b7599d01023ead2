import type { PlacementRequest } from '@ringfence/policy/placement';
import { chooseMachine } from '@ringfence/policy/spot';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';

/** Until a lost machine's lease is over, and the next one has taken code, data and checkpoint. */
const CHANGEOVER_MS = LEASE_TTL_MS + LEASE_GRACE_MS + 75_000;
/** An attempt that was interrupted is looked at again within so much, unless it was so often in turn. */
const LOOK_MS = 10_000;

/**
 * Narrows the request of a job that leaves spot to us (`auto`) and has a deadline: to machines that nobody takes away, from when on a loss could
 * make it late. How far a job is nobody tells the control plane, so its longest run counts as its work, and a loss as the loss of all of it.
 */
export function spotUnderDeadline(request: PlacementRequest): PlacementRequest {
  const { placement, now } = request;
  const { deadline, spot, maxDurationMs } = placement;
  if (deadline === undefined || spot !== 'auto') return request;
  const job = {
    workMs: maxDurationMs,
    deadlineMs: deadline - now,
    changeoverMs: CHANGEOVER_MS,
    atRiskMs: maxDurationMs,
    lookMs: LOOK_MS,
  };
  const view = { elapsedMs: 0, safeMs: 0, done: false, on: 'idle', spotThere: true, committed: false } as const;
  if (chooseMachine(job, view).on === 'spot') return request;
  return { ...request, placement: { ...placement, spot: 'never' } };
}
