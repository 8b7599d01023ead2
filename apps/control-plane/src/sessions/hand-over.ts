import type { RouteCall } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { BegunSession } from './begin-session.ts';
import { endSessions } from './end-sessions.ts';

/**
 * Hands a browser the session that just began, the token in the cookie and the rest in the answer, and ends the one whose cookie it replaces,
 * whoever's that is.
 */
export async function handOver(
  context: ControlPlaneContext,
  { setSession, shown }: Pick<RouteCall<unknown>, 'setSession' | 'shown'>,
  { session, member, until, token }: BegunSession,
) {
  using held = token;
  const before = shown === undefined ? undefined : await context.sessions.find(shown);
  if (before !== undefined) {
    const { org } = before;
    await context.changes.run(org, (tx) => endSessions(context, tx, org, { session: before.session }));
    context.sessions.forget();
  }
  setSession(held);
  return { session, member, until };
}
