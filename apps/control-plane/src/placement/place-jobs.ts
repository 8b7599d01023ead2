import { canonicalJson, type EpochMs, type JobId, type OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import { PoolGate } from '../burst/pool-gate.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { decideTurn, type TurnDecision, type WaitingCount } from '../queue/decide-turn.ts';
import { noteNominations } from '../queue/nominations.ts';
import { queueRows } from '../queue/queue-rows.ts';
import { runningAttempts } from '../queue/running-attempts.ts';
import { turnUnits } from '../queue/turn-units.ts';
import type { Tx } from '../store/open-store.ts';
import { dueAt } from './back-off-end.ts';
import type { KeptInventory } from './kept-inventory.ts';
import { LeaseWriter } from './lease-jobs.ts';
import { reserveOffers } from './reserve-offers.ts';
import { signPlacement } from './sign-placement.ts';
import { holdJobs, requestOf, type WaitingJob } from './waiting-job.ts';

/** Jobs of one organisation that share a turn. */
interface TurnJobs {
  readonly ids: readonly JobId[];
  /** Those before them in the queue stay out of it: one of them could not be dealt with. */
  readonly alone?: boolean;
}

/** Decision, reservation, receipt, lease and message of each of an organisation's waiting jobs that fits somewhere: all in one transaction. Gives how many. */
export async function placeJobs(context: ControlPlaneContext, org: OrgId, turn: TurnJobs): Promise<number> {
  const kept = context.inventories.of(org);
  let placed = 0;
  try {
    placed = await context.changes.run(org, (tx) => placeIn(context, tx, { org, kept, ...turn }));
  } catch (error) {
    // It may know of reservations that were never made.
    context.inventories.forget(org);
    throw error;
  }
  if (placed > 0) context.fault('place-after-commit');
  return placed;
}

async function placeIn(
  context: ControlPlaneContext,
  tx: Tx,
  { org, ids, kept, alone = false }: TurnJobs & { readonly org: OrgId; readonly kept: KeptInventory },
): Promise<number> {
  const [term, jobs] = await Promise.all([context.term.assertHeld(tx), holdJobs(tx, ids)]);
  const now = context.clock.now();
  const due = await dueOf(tx, org, { jobs, now });
  if (due.length === 0) return 0;
  await kept.bringUpToDate(tx, now);
  const pool = await PoolGate.open(tx, org);
  const queue = await queueRows(tx, { org, due, now, alone });
  const { decided, nominees } = await reserveOffers(tx, kept, (desk) => {
    pool.restart();
    return decideTurn(desk, {
      kept,
      now,
      units: turnUnits(due, queue, now),
      nominations: queue.nominations,
      ask: (job, place) => pool.decide(job, requestOf(job, now), place),
      mark: () => pool.mark(),
      running: () => runningAttempts(tx, org, now),
    });
  });
  const placed = await writeDown(context, tx, { org, term, now, pool }, decided);
  await pool.save(tx, now, (request) => kept.place(request));
  await noteNominations(context, tx, { org, now, nominations: queue.nominations }, { decided, nominees });
  if (placed > 0) context.fault('place-before-commit');
  return placed;
}

/** An organisation's turn within one transaction of one term. */
interface Turn {
  readonly org: OrgId;
  readonly term: number;
  readonly now: EpochMs;
  readonly pool: PoolGate;
}

/** Writes down what was decided about each job, events in the order of the jobs; how many of them were placed. */
async function writeDown(
  context: ControlPlaneContext,
  tx: Tx,
  { org, term, now, pool }: Turn,
  decided: readonly TurnDecision[],
): Promise<number> {
  const leases = new LeaseWriter(context, tx, { org, term });
  const waiting: StillWaiting[] = [];
  for (const { job, placement, inventoryEpoch, waitsFor } of decided) {
    if (placement.decision.allow) {
      const reservation = pool.reservationOf(job);
      const budget = pool.budgetOf(reservation);
      const signed = signPlacement(context.identity, { org, job, term, placement, inventoryEpoch, now, budget });
      await leases.add({ job, chosen: placement.decision.chosen, reservation, ...signed });
    } else {
      const still = stillWaiting(job, waitsFor);
      if (still === undefined) continue;
      waiting.push(still);
      if (still.isNews) await context.record(tx, org, { type: 'job-waiting', job: job.job, refused: still.refused });
    }
  }
  noteWaiting(context, tx, waiting);
  await leases.finish();
  return leases.count;
}

/** The jobs that wait and may be tried now: their time has come, or room for which they wait may be there. */
async function dueOf(
  tx: Tx,
  org: OrgId,
  { jobs, now }: { jobs: readonly WaitingJob[]; now: number },
): Promise<WaitingJob[]> {
  const { past, impossible } = dueAt(now);
  const inTime = ({ not_before: at }: WaitingJob): boolean => at === null || at <= past || at >= impossible;
  const queued = jobs.filter(({ state }) => state === 'queued');
  if (queued.every((job) => inTime(job) || job.retry_reason !== 'no-capacity')) return queued.filter(inTime);
  const { inventory } = await tx
    .selectFrom('organisation')
    .select('inventory')
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  return queued.filter(
    (job) => inTime(job) || (job.retry_reason === 'no-capacity' && inventory > (job.inventory_seen ?? 0)),
  );
}

/** What a job that fits nowhere waits for now. */
interface StillWaiting {
  readonly job: JobId;
  readonly refused: WaitingCount[];
  readonly waitingFor: string;
  /** It waited for something else before. */
  readonly isNews: boolean;
}

/** Undefined when its row says so already. */
function stillWaiting(job: WaitingJob, waitsFor: readonly WaitingCount[]): StillWaiting | undefined {
  const refused = [...waitsFor];
  const waitingFor = canonicalJson(refused);
  // The database gives objects back with their keys in another order.
  const isNews = waitingFor !== canonicalJson(job.waiting_for);
  return isNews || job.not_before !== null ? { job: job.job, refused, waitingFor, isNews } : undefined;
}

/** It is their machines that they wait for now, no longer the time. */
function noteWaiting({ store }: ControlPlaneContext, tx: Tx, waiting: readonly StillWaiting[]): void {
  if (waiting.length === 0) return;
  const update = sql`
    update job set waiting_for = waiting.waiting_for::jsonb, not_before = null, retry_reason = null
    from unnest(${waiting.map(({ job }) => job)}::text[], ${waiting.map(({ waitingFor }) => waitingFor)}::text[])
      as waiting (job, waiting_for)
    where job.job = waiting.job`;
  store.atCommit(tx, update.compile(tx));
}
