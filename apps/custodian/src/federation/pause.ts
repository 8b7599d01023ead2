import type { DeviceId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { keptContract } from '../contracts/contract-rows.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { noSuchContract } from './no-such-contract.ts';
import { excuseAborted } from './round-rows.ts';

/** Why this organisation lets no round of a contract begin for now; undefined where it does. */
export async function pauseOf(tx: Tx, contract: Digest): Promise<{ readonly device: DeviceId | null } | undefined> {
  return tx.selectFrom('federation_pause').select('device').where('contract', '=', contract).executeTakeFirst();
}

/** Lets no round of a contract begin until somebody says otherwise, since too many in a row came to nothing. */
export async function pauseByItself(
  { clock, record }: Pick<CustodianContext, 'clock' | 'record'>,
  tx: Tx,
  { org }: Pick<ClaimedOrganisation, 'org'>,
  contract: Digest,
): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('federation_pause')
    .values({ org, contract, device: null, at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 1n) await record(tx, org, { type: 'federation-paused', contract, paused: true });
}

/**
 * Lets no round of a contract begin, or lets them begin again, however many came to nothing before; what stands so already stays. Throws CustodianError `not-found`.
 */
export async function setPaused(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { contract, device, paused }: { contract: Digest; device: DeviceId; paused: boolean },
): Promise<void> {
  const { org } = claimed;
  await context.store.withOrg(org, async (tx) => {
    // With the lock that each leave takes: none is given on after the answer.
    if ((await keptContract(context, tx, contract, 'lock')) === undefined) throw noSuchContract();
    const isPaused = (await pauseOf(tx, contract)) !== undefined;
    const excused = !paused && (await excuseAborted(tx, contract));
    if (isPaused === paused && !excused) return;
    if (paused)
      await tx.insertInto('federation_pause').values({ org, contract, device, at: context.clock.now() }).execute();
    else await tx.deleteFrom('federation_pause').where('contract', '=', contract).execute();
    await context.record(tx, org, { type: 'federation-paused', contract, paused, device });
  });
}
