import type { AgentId, OrgId } from '@ringfence/base';
import type { RenewedLease } from '@ringfence/client/control-link';
import { sql } from 'kysely';
import { changeJob } from './change-job.ts';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from './clock-terms.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { watchLeases, type LeaseRow, type SeenLeases } from './silent-leases.ts';

const MOST_LOST_AT_ONCE = 200;
/** Kept so much longer than it must be: a clock that was ahead for a while would drop nonces of signatures that are fresh again later. */
const CLOCK_MAY_JUMP_MS = 1_800_000;

/**
 * Lengthens the leases of an agent's live attempts. The row is committed before the renewal leaves, so what the control plane waits for is
 * never shorter than what the agent believes.
 */
export async function renewLeases(
  context: ControlPlaneContext,
  of: { org: OrgId; agent: AgentId; connection: number },
): Promise<readonly RenewedLease[]> {
  const now = context.clock.now();
  return context.store.withOrg(of.org, async (tx) => {
    const here = await tx
      .updateTable('party')
      .set({ seen_at: now })
      .where('id', '=', of.agent)
      .where('connection', '=', of.connection)
      .where('locked', 'is', null)
      .where('removed', '=', false)
      .returning('id')
      .executeTakeFirst();
    if (here === undefined) return [];
    const renewed = await tx
      .updateTable('attempt')
      .set((column) => ({
        lease_until: now + LEASE_TTL_MS + LEASE_GRACE_MS,
        renewals: column('renewals', '+', 1),
      }))
      .where('agent', '=', of.agent)
      .where('live', '=', true)
      .where('state', '!=', 'expired')
      .returning(['job', 'attempt'])
      .execute();
    return renewed.map(({ job, attempt }) => ({ job, attempt, ttlMs: LEASE_TTL_MS }));
  });
}

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
  for (const lease of watched.silent.slice(0, MOST_LOST_AT_ONCE)) await loseAttempt(context, lease);
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
      .limit(200)
      .execute(),
  );
  for (const { org, job } of due)
    await context.changes.run(org, async (tx) => {
      await context.term.assertHeld(tx);
      await changeJob(context, tx, { org, job }, { kind: 'job-expired' });
    });
}

/** Drops nonces whose signatures are stale by now. */
export async function forgetNonces(context: ControlPlaneContext): Promise<void> {
  const now = context.clock.now();
  await context.store.withSystem('forget-nonces', (tx) =>
    sql`delete from spent_nonce where expires_at < ${now - CLOCK_MAY_JUMP_MS}`.execute(tx),
  );
}
