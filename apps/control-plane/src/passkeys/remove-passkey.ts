import { ControlPlaneError } from '../control-plane-error.ts';
import type { SessionCaller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { removePasskey } from './passkey-rows.ts';

/** Takes a member's passkey away, and what passkeys gave to sessions and devices. Throws ControlPlaneError `not-found`. */
export async function removeOwnPasskey(
  context: ControlPlaneContext,
  { org, member }: SessionCaller,
  credential: string,
): Promise<void> {
  await context.changes.run(org, async (tx) => {
    if (!(await removePasskey(tx, member, credential)))
      throw new ControlPlaneError('not-found', 'there is no such passkey of yours', { next: 'see /account' });
    await tx.deleteFrom('given_factor').where('member', '=', member).where('kind', '=', 'passkey').execute();
    await context.record(tx, org, { type: 'factor-removed', member, factor: 'passkey' });
  });
  context.sessions.forget();
}
