import type { OrgId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Tx } from '../store/open-store.ts';
import { changeJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** A wish for a job that was not submitted within so long is forgotten; a launch takes seconds. */
const EARLY_WISH_MS = 7 * 86_400_000;

/**
 * Takes the custodian's word on a `serve` job of its organisation: wanted, to be parked, or over for good. One for a job that is still to be
 * submitted is kept until it is: both orders end alike. About a job of another type it says nothing.
 */
export async function takeWish(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  wish: MessageBody<'wanted'>,
): Promise<void> {
  const { job, wanted, graceMs } = wish;
  const final = wish.final === true;
  const known = await tx.selectFrom('job').select(['type', 'stopping']).where('job', '=', job).executeTakeFirst();
  if (known === undefined) return keepEarly(context, tx, org, { job, wanted, final });
  if (known.type !== 'serve' || known.stopping) return;
  const event = final ? ({ kind: 'stop-requested', graceMs } as const) : ({ kind: 'wanted', wanted, graceMs } as const);
  const moved = await changeJob(context, tx, { org, job }, event);
  if (final && moved) await tx.updateTable('job').set({ stopping: true }).where('job', '=', job).execute();
  if (moved) await context.record(tx, org, { type: 'job-wished', job, wanted, final });
}

async function keepEarly(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { job, wanted, final }: Pick<MessageBody<'wanted'>, 'job' | 'wanted'> & { readonly final: boolean },
): Promise<void> {
  const at = context.clock.now();
  await tx
    .deleteFrom('early_wish')
    .where('at', '<', at - EARLY_WISH_MS)
    .execute();
  await tx
    .insertInto('early_wish')
    .values({ org, job, wanted, final, at })
    // Nothing follows a final word.
    .onConflict((conflict) =>
      conflict.columns(['org', 'job']).doUpdateSet({ wanted, final, at }).where('early_wish.final', '=', false),
    )
    .execute();
}

/** The word that came before the job did, which from now on is written in the job's row. */
export async function takeEarlyWish(
  tx: Tx,
  job: MessageBody<'wanted'>['job'],
): Promise<{ readonly wanted: boolean; readonly final: boolean } | undefined> {
  return tx.deleteFrom('early_wish').where('job', '=', job).returning(['wanted', 'final']).executeTakeFirst();
}
