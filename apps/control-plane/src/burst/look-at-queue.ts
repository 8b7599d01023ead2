import type { EpochMs, MonotonicMs } from '@ringfence/base';
import { predictedWaits, pressureOf, type BurstTerms, type Pressure, type QueuedJob } from '@ringfence/policy/burst';
import type { BurstDecisionStatement } from '@ringfence/protocol/statements';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import { requestOf } from '../placement/waiting-job.ts';
import type { Tx } from '../store/open-store.ts';
import { HomeFleet } from './home-fleet.ts';
import { homeMachines } from './home-machines.ts';

/** So many jobs at the head of the queue are looked at. */
const MOST_LOOKED_AT = 200;

/** What a look at an organisation's queue found; decisions name it. */
export interface QueueLook {
  readonly pressure: Pressure;
  readonly queue: NonNullable<BurstDecisionStatement['queue']>;
}

/** When a look is: by the wall, and for what is kept between looks. */
export interface LookMoment {
  readonly now: EpochMs;
  readonly monotonic: MonotonicMs;
}

const fleets = new WeakMap<KeptInventory, HomeFleet>();

/** How long jobs that may leave are thought to wait for a machine at home. Reads alone. */
export async function lookAtQueue(
  tx: Tx,
  kept: KeptInventory,
  { terms, now, monotonic }: LookMoment & { readonly terms: BurstTerms },
): Promise<QueueLook> {
  const rows = await waitingJobs(tx);
  if (rows.length === 0) {
    const queue = { waiting: 0, mayBurst: 0, longestWaitMs: 0 };
    return { pressure: pressureOf({ now, waiting: [] }, terms), queue };
  }
  await kept.bringUpToDate(tx, now);
  const fleet = fleets.get(kept) ?? new HomeFleet();
  fleets.set(kept, fleet);
  await fleet.refresh(tx, kept, monotonic);
  const seen = rows.map((row) => ({ row, shape: fleet.shapeOf(kept, requestOf(row, now)) }));
  const queue = seen.map(({ row, shape }): QueuedJob => {
    const { job, placement } = row;
    return { job, placement, machines: shape.homes, expectedMs: placement.maxDurationMs };
  });
  const waits = predictedWaits(await homeMachines(tx, kept, now), queue, now);
  const waiting = seen.map(({ row, shape }) => ({
    predictedWaitMs: waits.get(row.job) ?? Infinity,
    expectedMs: row.placement.maxDurationMs,
    mayBurst: shape.mayBurst,
    deadline: row.placement.deadline,
  }));
  return { pressure: pressureOf({ now, waiting }, terms), queue: countsOf(waiting) };
}

async function waitingJobs(tx: Tx) {
  return tx
    .selectFrom('job')
    .select(['job', 'placement', 'label_envelope'])
    .where('state', '=', 'queued')
    .orderBy('priority', 'desc')
    .orderBy('submitted_at')
    .limit(MOST_LOOKED_AT)
    .execute();
}

function countsOf(
  waiting: readonly { readonly predictedWaitMs: number; readonly mayBurst: boolean }[],
): QueueLook['queue'] {
  const movable = waiting.filter(({ mayBurst }) => mayBurst);
  const longest = Math.max(0, ...movable.map(({ predictedWaitMs }) => predictedWaitMs));
  const counts = { waiting: waiting.length, mayBurst: movable.length };
  return longest === Infinity ? counts : { ...counts, longestWaitMs: Math.round(longest) };
}
