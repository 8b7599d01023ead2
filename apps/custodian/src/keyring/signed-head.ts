import type { EpochMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { HEAD_INTERVAL_MS, signHead, type Keyring } from '@ringfence/keyring';
import { errorFields } from '@ringfence/base';
import type { CustodianContext } from '../context.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';

const LOOK_EVERY_MS = 10_000;

/** The custodian's word, as of now, that `keyring` is the newest there is. */
export function headOf(
  { keys, clock }: Pick<CustodianContext, 'keys' | 'clock'>,
  keyring: Keyring,
  epoch: number,
): { head: Envelope; headAt: EpochMs } {
  const headAt = clock.now();
  return { head: signHead(keyring, { custodian: keys.id, epoch, at: headAt }, keys.enrolment), headAt };
}

/** Signs the head anew and stores it. */
export async function refreshHead(context: CustodianContext, claimed: ClaimedOrganisation): Promise<void> {
  await claimed.exclusively(async () => {
    const signed = headOf(context, claimed.keyring, claimed.epoch);
    await context.store.withOrg(claimed.org, (tx) =>
      tx
        .updateTable('organisation')
        .set({ head: JSON.stringify(signed.head), head_at: signed.headAt })
        .where('org', '=', claimed.org)
        .execute(),
    );
    claimed.advance({ keyring: claimed.keyring, ...signed });
  });
}

/**
 * Signs the head every 15 minutes, and soon after the clock was set: one that is dated ahead of it counts nowhere. Returns what ends that. A
 * signature that fails is made anew at the next look.
 */
export function keepHeadFresh(context: CustodianContext, claimed: ClaimedOrganisation): () => void {
  let ended = false;
  let cancel = context.clock.after(LOOK_EVERY_MS, look);
  return () => {
    ended = true;
    cancel();
  };

  function look(): void {
    const age = context.clock.now() - claimed.headAt;
    const fresh = age >= 0 && age < HEAD_INTERVAL_MS;
    (fresh ? Promise.resolve() : refreshHead(context, claimed))
      .catch((error: unknown) => context.log.error('head.not_signed', errorFields(error)))
      .finally(() => {
        if (!ended) cancel = context.clock.after(LOOK_EVERY_MS, look);
      });
  }
}
