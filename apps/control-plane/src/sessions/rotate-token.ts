import type { Asker, RouteCall } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { drawSessionToken, sessionTokenDigest } from './session-token.ts';

/**
 * Draws another token for a session that just stepped up, and hands it to its browser: whoever held the one before holds nothing. A device has
 * none.
 */
export async function rotateToken(
  context: Pick<ControlPlaneContext, 'rng' | 'changes' | 'sessions'>,
  asker: Asker,
  { setSession }: Pick<RouteCall<unknown>, 'setSession'>,
): Promise<void> {
  if ('device' in asker) return;
  using token = drawSessionToken(context.rng);
  const rotated = await context.changes.run(asker.org, (tx) =>
    tx
      .updateTable('session')
      .set({ token_digest: sessionTokenDigest(token) })
      .where('session', '=', asker.session)
      .where('ended_at', 'is', null)
      .returning('session')
      .executeTakeFirst(),
  );
  context.sessions.forget();
  if (rotated !== undefined) setSession(token);
}
