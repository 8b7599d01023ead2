import type { Secret } from '@ringfence/base';
import type { Asker, RouteCall } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { drawSessionToken } from './session-token.ts';

/**
 * Draws another token for a session that steps up, for `step` to store in the transaction that keeps what was given, and hands it to the session's
 * browser: whoever held the one before holds nothing. A device has none.
 */
export async function rotateToken<T>(
  { rng }: Pick<ControlPlaneContext, 'rng'>,
  asker: Asker,
  { setSession }: Pick<RouteCall<unknown>, 'setSession'>,
  step: (token: Secret | undefined) => Promise<T>,
): Promise<T> {
  if ('device' in asker) return step(undefined);
  using token = drawSessionToken(rng);
  const answer = await step(token);
  setSession(token);
  return answer;
}
