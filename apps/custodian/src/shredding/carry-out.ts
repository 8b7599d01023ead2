import type { AgentId, Clock, JobId } from '@ringfence/base';
import type { Tier } from '@ringfence/protocol';
import type { NamedAttempt, PlacementPart } from '@ringfence/protocol/statements';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import type { ShredOrderTable } from '../store/shredding-tables.ts';
import { shredAttempt, shredEndedJob } from './shred-rows.ts';

type ShredOrder = Selectable<ShredOrderTable>;

/** Which attempts of which agent an order names. */
export type NamedOrder = Pick<ShredOrder, 'agent' | 'attempts'>;

/** What carrying an order out works with. */
export interface ShredContext {
  readonly clock: Clock;
  readonly record: RecordEvent;
}

/**
 * Destroys the keys of an order's attempts, each that is over by this custodian's own records: its agent signed its end, its job is over, or a
 * later attempt was granted. That a lease may have run out ends none: its renewals pass the custodian by. Once all are over, writes it down, answers
 * and forgets the order. What was granted to another agent than the order's, or at home, is none of it. Gives the jobs whose attempts are not over.
 */
export async function carryOut(
  context: ShredContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  order: ShredOrder,
): Promise<ReadonlySet<JobId>> {
  const { org } = claimed;
  const { request, agent, deletion } = order;
  const shredded = new Set<NamedAttempt>();
  const waiting = new Set<JobId>();
  // In one order, since each job's row is locked until the end.
  for (const job of [...new Set(order.attempts.map((named) => named.job))].toSorted()) {
    const named = order.attempts.filter((one) => one.job === job);
    const { ordered, waits } = await shredJob(context, tx, claimed, {
      agent,
      job,
      numbers: named.map(({ attempt }) => attempt),
    });
    for (const one of named) if (ordered.includes(one.attempt)) shredded.add(one);
    if (waits) waiting.add(job);
  }
  if (waiting.size > 0) return waiting;
  await tx.deleteFrom('shred_order').where('request', '=', request).where('deletion', '=', deletion).execute();
  // As the order has them: the control plane compares the two.
  const attempts = order.attempts.flatMap((one) => (shredded.has(one) ? [{ job: one.job, attempt: one.attempt }] : []));
  if (attempts.length === 0) return waiting;
  await context.record(tx, org, { type: 'keys-shredded', request, agent, attempts, deletion });
  await enqueue(tx, org, { name: 'keys-shredded', body: { request, attempts } });
  return waiting;
}

/** Gives which of `numbers` the order may name, and whether one of them is not over. */
async function shredJob(
  { clock }: ShredContext,
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
    .select(['attempt', 'agent', 'stopped'])
    .where('job', '=', id)
    .where('attempt', 'in', numbers)
    .execute();
  const there = granted.filter((attempt) => attempt.agent === agent);
  const isOver = job.closed !== null || job.commit_record !== null;
  const live = there.find((row) => !isOver && row.attempt === job.attempt && row.stopped === null)?.attempt;
  // One that was never granted has no keys; it gets none later, since its machine was given back.
  const ordered = numbers.filter((number) => granted.every((row) => row.attempt !== number || row.agent === agent));
  for (const attempt of ordered)
    if (attempt !== live) await shredAttempt(tx, { org, job: id, attempt, at: clock.now() });
  if (isOver && there.length > 0) await shredEndedJob(tx, id);
  return { ordered, waits: live !== undefined };
}

/** Of an agent that was removed the keyring does not say where it stood: then what the job's owner signed counts. */
function mayBeAway(tier: Tier | undefined, { tiers }: Pick<PlacementPart, 'tiers'>): boolean {
  return tier === undefined ? tiers.some((allowed) => allowed !== 'private') : tier !== 'private';
}
