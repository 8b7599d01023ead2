import type { AgentId, Clock, JobId } from '@ringfence/base';
import type { Tier } from '@ringfence/protocol';
import type { NamedAttempt, PlacementPart } from '@ringfence/protocol/statements';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { LeaseEnds } from '../jobs/attempt-end.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import type { ShredOrderTable } from '../store/shredding-tables.ts';
import { shredAttempt, shredEndedJob } from './shred-rows.ts';

type ShredOrder = Selectable<ShredOrderTable>;

/** What carrying an order out works with. */
export interface ShredContext {
  readonly clock: Clock;
  readonly leaseEnds: LeaseEnds;
  readonly record: RecordEvent;
}

/**
 * Destroys the keys of an order's attempts, each that can run no more; once that is all of them, writes it down, answers and forgets the order.
 * What was granted to another agent than the order's, or at home, is none of it. False while one may still run.
 */
export async function carryOut(
  context: ShredContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  order: ShredOrder,
): Promise<boolean> {
  const { org } = claimed;
  const { request, agent, deletion } = order;
  const shredded = new Set<NamedAttempt>();
  let done = true;
  // In one order, since each job's row is locked until the end.
  for (const job of [...new Set(order.attempts.map((named) => named.job))].toSorted()) {
    const named = order.attempts.filter((one) => one.job === job);
    const { ordered, waits } = await shredJob(context, tx, claimed, {
      agent,
      job,
      numbers: named.map(({ attempt }) => attempt),
    });
    for (const one of named) if (ordered.includes(one.attempt)) shredded.add(one);
    done = !waits && done;
  }
  if (!done) return false;
  await tx.deleteFrom('shred_order').where('request', '=', request).where('deletion', '=', deletion).execute();
  // As the order has them: the control plane compares the two.
  const attempts = order.attempts.flatMap((one) => (shredded.has(one) ? [{ job: one.job, attempt: one.attempt }] : []));
  if (attempts.length === 0) return true;
  await context.record(tx, org, { type: 'keys-shredded', request, agent, attempts, deletion });
  await enqueue(tx, org, { name: 'keys-shredded', body: { request, attempts } });
  return true;
}

/** Gives which of `numbers` the order may name, and whether one of them may still run. */
async function shredJob(
  { clock, leaseEnds }: ShredContext,
  tx: Tx,
  { org, keyring }: ClaimedOrganisation,
  { agent, job: id, numbers }: { agent: AgentId; job: JobId; numbers: readonly number[] },
): Promise<{ readonly ordered: readonly number[]; readonly waits: boolean }> {
  const job = await tx
    .selectFrom('job')
    .select(['attempt', 'closed', 'commit_record', 'placement'])
    .where('job', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  // Never deposited here: there is no key of it.
  if (job === undefined) return { ordered: numbers, waits: false };
  if (!mayBeAway(keyring.agent(agent)?.tier, job.placement)) return { ordered: [], waits: false };
  const granted = await tx
    .selectFrom('attempt')
    .select(['job', 'attempt', 'agent', 'granted_at', 'stopped', 'ends_by'])
    .where('job', '=', id)
    .where('attempt', 'in', numbers)
    .execute();
  const there = granted.filter((attempt) => attempt.agent === agent);
  const isOver = job.closed !== null || job.commit_record !== null;
  const mayRun = there.find((row) => !isOver && row.attempt === job.attempt && leaseEnds.mayRun(row))?.attempt;
  // One that was never granted has no keys; it gets none later, since its machine was given back.
  const ordered = numbers.filter((number) => granted.every((row) => row.attempt !== number || row.agent === agent));
  for (const attempt of ordered)
    if (attempt !== mayRun) await shredAttempt(tx, { org, job: id, attempt, at: clock.now() });
  if (isOver && there.length > 0) await shredEndedJob(tx, id);
  return { ordered, waits: mayRun !== undefined };
}

/** Of an agent that was removed the keyring does not say where it stood: then what the job's owner signed counts. */
function mayBeAway(tier: Tier | undefined, { tiers }: Pick<PlacementPart, 'tiers'>): boolean {
  return tier === undefined ? tiers.some((allowed) => allowed !== 'private') : tier !== 'private';
}
