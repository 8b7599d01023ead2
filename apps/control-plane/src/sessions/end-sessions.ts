import type { MemberId, OrgId, SessionId } from '@ringfence/base';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';

/** Which of an organisation's sessions end: one, or a member's, but perhaps one of them. */
export interface SessionsToEnd {
  readonly session?: SessionId | undefined;
  readonly member?: MemberId | undefined;
  readonly but?: SessionId | undefined;
}

/** Ends sessions in a running change; how many had not ended before. What was given to them counts no more. The caller
 * lets `sessions` forget once it is committed. */
export async function endSessions(
  { clock, record }: Pick<ControlPlaneContext, 'clock' | 'record'>,
  tx: Tx,
  org: OrgId,
  { session, member, but }: SessionsToEnd,
): Promise<number> {
  let ending = tx.updateTable('session').set({ ended_at: clock.now() }).where('ended_at', 'is', null);
  if (session !== undefined) ending = ending.where('session', '=', session);
  if (member !== undefined) ending = ending.where('member', '=', member);
  if (but !== undefined) ending = ending.where('session', '!=', but);
  const ended = await ending.returning(['session', 'member']).execute();
  for (const each of ended) await record(tx, org, { type: 'session-ended', ...each });
  if (ended.length > 0)
    await tx
      .deleteFrom('given_factor')
      .where(
        'holder',
        'in',
        ended.map((each) => each.session),
      )
      .execute();
  return ended.length;
}
