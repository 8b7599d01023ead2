import type { DeviceId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { keptContract } from '../contracts/contract-rows.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { noSuchContract } from './no-such-contract.ts';

/** Whether this organisation lets no round of the contract begin for now. */
export async function isPaused(tx: Tx, contract: Digest): Promise<boolean> {
  const row = await tx
    .selectFrom('federation_pause')
    .select('contract')
    .where('contract', '=', contract)
    .executeTakeFirst();
  return row !== undefined;
}

/** Lets no round of a contract begin, or lets them begin again; what stands so already stays. Throws CustodianError `not-found`. */
export async function setPaused(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { contract, device, paused }: { contract: Digest; device: DeviceId; paused: boolean },
): Promise<void> {
  const { org } = claimed;
  await context.store.withOrg(org, async (tx) => {
    // With the lock that each leave takes: none is given on after the answer.
    if ((await keptContract(context, tx, contract, 'lock')) === undefined) throw noSuchContract();
    if ((await isPaused(tx, contract)) === paused) return;
    if (paused)
      await tx.insertInto('federation_pause').values({ org, contract, device, at: context.clock.now() }).execute();
    else await tx.deleteFrom('federation_pause').where('contract', '=', contract).execute();
    await context.record(tx, org, { type: 'federation-paused', contract, paused, device });
  });
}
