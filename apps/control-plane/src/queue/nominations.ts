import type { EpochMs, OrgId } from '@ringfence/base';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { sendStop } from '../jobs/send-stop.ts';
import type { Tx } from '../store/open-store.ts';
import type { Nominee, TurnOutcome } from './decide-turn.ts';
import type { Nomination } from './queue-rows.ts';

/** How long a job that has to make room gets to write its checkpoint and end. */
const PREEMPTION_GRACE_MS = 60_000;
/** After so long a machine is kept no more: an agent that is silent has lost its leases by then. */
const NOMINATION_MS = PREEMPTION_GRACE_MS + 120_000;

/** Tells those to stop who make room, and keeps the machine for the job for a bounded time; nothing is kept for one that got its lease. */
export async function noteNominations(
  context: ControlPlaneContext,
  tx: Tx,
  {
    org,
    now,
    nominations,
  }: { readonly org: OrgId; readonly now: EpochMs; readonly nominations: readonly Nomination[] },
  { decided, nominees }: TurnOutcome,
): Promise<void> {
  const leased = new Set(decided.flatMap(({ job, placement }) => (placement.decision.allow ? [job.job] : [])));
  const over = nominations.filter(({ job }) => leased.has(job)).map(({ job }) => job);
  if (over.length > 0) await tx.deleteFrom('nomination').where('job', 'in', over).execute();
  if (nominees.length === 0) return;
  // What is left of a job that went another way, too.
  const named = nominees.map(({ job }) => job);
  await tx
    .deleteFrom('nomination')
    .where('org', '=', org)
    .where((has) => has.or([has('until_at', '<=', now), has('job', 'in', named)]))
    .execute();
  for (const nominee of nominees) await nominate(context, tx, { org, until: now + NOMINATION_MS }, nominee);
}

async function nominate(
  context: ControlPlaneContext,
  tx: Tx,
  { org, until }: { readonly org: OrgId; readonly until: number },
  { job, preemption: { offer, victims } }: Nominee,
): Promise<void> {
  await tx.insertInto('nomination').values({ org, job, offer, until_at: until }).execute();
  await context.record(tx, org, { type: 'job-nominated', job, offer, victims: [...victims] });
  for (const victim of victims)
    await sendStop(context, tx, { org, job: victim, graceMs: PREEMPTION_GRACE_MS }, 'preempted');
}
