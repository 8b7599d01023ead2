/** How long a lease runs from the frame that its renewal echoes, in milliseconds. */
export const LEASE_TTL_MS = 30_000;
/** What the control plane waits beyond that before it calls an attempt lost: the agent's kill takes time. */
export const LEASE_GRACE_MS = 15_000;
/** How often a party says that it is there. */
export const HEARTBEAT_MS = 10_000;
/** An agent that was silent for longer gets no new work. */
const ONLINE_WITHIN_MS = 35_000;
/** Absolute end of a lease's first leave to start: an agent that gets it later refuses. */
export const LEASE_START_WITHIN_MS = 300_000;

/** Whether an agent that was last heard at `seenAt` counts as there; a moment that is yet to come was written by a clock that was ahead. */
export function isOnline(seenAt: number | null, now: number): boolean {
  return seenAt !== null && Math.abs(now - seenAt) < ONLINE_WITHIN_MS;
}
