import type { EpochMs, JobId, MonotonicMs, OrgId } from '@ringfence/base';
import { predictedWaits, pressureOf, type BurstTerms, type Pressure, type QueuedJob } from '@ringfence/policy/burst';
import type { BurstDecisionStatement } from '@ringfence/protocol/statements';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import { requestOf } from '../placement/waiting-job.ts';
import { agedPriorityAt } from '../queue/aged-priority.ts';
import type { Tx } from '../store/open-store.ts';
import { HomeFleet, shapeName } from './home-fleet.ts';
import { homeMachines } from './home-machines.ts';

/** So many jobs at the head of the queue are looked at. */
const MOST_LOOKED_AT = 200;
/** Of so many shapes: each is asked of every machine when one of them changed. */
const MOST_SHAPES = 32;

/** What a look at an organisation's queue found; decisions name it. */
export interface QueueLook {
  readonly pressure: Pressure;
  readonly queue: NonNullable<BurstDecisionStatement['queue']>;
  /** Of the jobs that were asked about: those for which home has room soon, behind all that wait. */
  readonly roomFor: ReadonlySet<JobId>;
}

/** Whose look and when it is, by the wall and for what is kept between looks, and which jobs that run away from home could come back. */
interface LookSetup {
  readonly org: OrgId;
  readonly terms: BurstTerms;
  readonly now: EpochMs;
  readonly monotonic: MonotonicMs;
  readonly returning?: readonly JobId[];
}

const COLUMNS = ['job', 'placement', 'label_envelope'] as const;

const fleets = new WeakMap<KeptInventory, HomeFleet>();

/** How long jobs that may leave are thought to wait for a machine at home. Reads alone. */
export async function lookAtQueue(
  tx: Tx,
  kept: KeptInventory,
  { org, terms, now, monotonic, returning = [] }: LookSetup,
): Promise<QueueLook> {
  const rows = await waitingJobs(tx, now);
  const back = returning.length === 0 ? [] : await theseJobs(tx, returning);
  if (rows.length + back.length === 0) {
    const queue = { waiting: 0, mayBurst: 0, longestWaitMs: 0 };
    return { pressure: pressureOf({ now, waiting: [] }, terms), queue, roomFor: new Set() };
  }
  await kept.bringUpToDate(tx, now);
  const fleet = fleets.get(kept) ?? new HomeFleet();
  fleets.set(kept, fleet);
  await fleet.refresh(tx, kept, monotonic);
  const shaped = (these: typeof rows) => firstShapes(these, { fleet, kept, now });
  const [seen, returns] = [shaped(rows), shaped(back)];
  const queue = [...seen, ...returns].map(({ row, shape }): QueuedJob => {
    const { job, placement } = row;
    return { job, placement, machines: shape.homes, expectedMs: placement.maxDurationMs };
  });
  const waits = predictedWaits(await homeMachines(tx, kept, { org, now }), queue, now);
  const waiting = seen.map(({ row, shape }) => ({
    predictedWaitMs: waits.get(row.job) ?? Infinity,
    expectedMs: row.placement.maxDurationMs,
    mayBurst: shape.mayBurst,
    deadline: row.placement.deadline,
  }));
  const roomFor = back.flatMap(({ job }) => ((waits.get(job) ?? Infinity) < terms.lowWaitMs ? job : []));
  return { pressure: pressureOf({ now, waiting }, terms), queue: countsOf(waiting), roomFor: new Set(roomFor) };
}

type LookedAt = Awaited<ReturnType<typeof waitingJobs>>[number];

/** The jobs of the first shapes; the others wait for these to go. */
function firstShapes(
  rows: readonly LookedAt[],
  { fleet, kept, now }: { readonly fleet: HomeFleet; readonly kept: KeptInventory; readonly now: EpochMs },
) {
  const names = new Set<string>();
  return rows.flatMap((row) => {
    const request = requestOf(row, now);
    const name = shapeName(request);
    if (!names.has(name) && names.size >= MOST_SHAPES) return [];
    names.add(name);
    return { row, shape: fleet.shapeOf(kept, request, name) };
  });
}

async function theseJobs(tx: Tx, jobs: readonly JobId[]) {
  const some = jobs.slice(0, MOST_LOOKED_AT);
  return tx.selectFrom('job').select(COLUMNS).where('job', 'in', some).orderBy('submitted_at').execute();
}

/** In the order in which they are placed. */
async function waitingJobs(tx: Tx, now: EpochMs) {
  return tx
    .selectFrom('job')
    .select(COLUMNS)
    .where('state', '=', 'queued')
    .orderBy(agedPriorityAt(now), 'desc')
    .orderBy('submitted_at')
    .orderBy('job')
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
