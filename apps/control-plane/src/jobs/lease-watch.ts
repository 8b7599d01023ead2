import { sql } from 'kysely';
import { eachForItself } from '../placement/ends-round.ts';
import { changeJob } from './change-job.ts';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from './clock-terms.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { inTurns, watchLeases, type LeaseRow, type SeenLeases } from './silent-leases.ts';

const MOST_LOST_AT_ONCE = 200;
/** Kept so much longer than it must be: a clock that was ahead for a while would drop nonces of signatures that are fresh again later. */
const CLOCK_MAY_JUMP_MS = 1_800_000;

/**
 * Calls attempts lost whose leases nobody renewed for long enough, and queues their jobs again. Takes and returns what this process has seen
 * of leases so far.
 */
export async function expireLeases(context: ControlPlaneContext, seen: SeenLeases): Promise<SeenLeases> {
  const rows = await context.store.withSystem(
    'live-leases',
    (tx) =>
      tx
        .selectFrom('attempt')
        .innerJoin('job', 'job.job', 'attempt.job')
        .select(['attempt.org', 'attempt.job', 'attempt.attempt', 'renewals'])
        .where('attempt.live', '=', true)
        // A job that keeps on through a partition is never replaced without its agent's signed word.
        .where(sql<string>`job.placement->>'onPartition'`, '=', 'stop')
        .execute(),
    { readOnly: true },
  );
  const watched = watchLeases(seen, rows, {
    now: context.clock.monotonic(),
    silence: LEASE_TTL_MS + LEASE_GRACE_MS,
  });
  const lost = inTurns(watched.silent, MOST_LOST_AT_ONCE);
  await eachForItself(context, lost, (lease) => loseAttempt(context, lease));
  return watched.seen;
}

async function loseAttempt(context: ControlPlaneContext, { org, job, attempt, renewals }: LeaseRow): Promise<void> {
  await context.changes.run(org, async (tx) => {
    await context.term.assertHeld(tx);
    const row = await tx
      .updateTable('attempt')
      .set({ state: 'expired' })
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .where('live', '=', true)
      // A renewal since then counts.
      .where('renewals', '=', renewals)
      .returning('agent')
      .executeTakeFirst();
    if (row === undefined) return;
    await context.record(tx, org, { type: 'attempt-changed', job, attempt, state: 'expired' });
    await changeJob(context, tx, { org, job }, { kind: 'lease-expired' });
    await changeJob(context, tx, { org, job }, { kind: 'requeued' });
  });
}

/** Ends jobs whose statement expired while they waited or were parked. */
export async function expireJobs(context: ControlPlaneContext): Promise<void> {
  const now = context.clock.now();
  const due = await context.store.withSystem('due-jobs', (tx) =>
    tx
      .selectFrom('job')
      .select(['org', 'job'])
      .where('state', 'in', ['parked', 'queued', 'lost'])
      .where('expires_at', '<', now)
      .orderBy(sql`row_number() over (partition by org order by expires_at)`)
      .limit(200)
      .execute(),
  );
  await eachForItself(context, due, ({ org, job }) =>
    context.changes.run(org, async (tx) => {
      await context.term.assertHeld(tx);
      await changeJob(context, tx, { org, job }, { kind: 'job-expired' });
    }),
  );
}

/** Drops nonces whose signatures are stale by now. */
export async function forgetNonces(context: ControlPlaneContext): Promise<void> {
  const now = context.clock.now();
  await context.store.withSystem('forget-nonces', (tx) =>
    sql`delete from spent_nonce where expires_at < ${now - CLOCK_MAY_JUMP_MS}`.execute(tx),
  );
}
