import type { EpochMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { HEAD_INTERVAL_MS, signHead, type Keyring } from '@ringfence/keyring';
import { errorFields } from '@ringfence/base';
import type { CustodianContext } from '../context.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';

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

/** Signs the head every 15 minutes; returns what ends that. A signature that fails is made a minute later. */
export function keepHeadFresh(context: CustodianContext, claimed: ClaimedOrganisation): () => void {
  let cancel = context.clock.after(HEAD_INTERVAL_MS, refresh);
  return () => cancel();

  function refresh(): void {
    refreshHead(context, claimed).then(
      () => (cancel = context.clock.after(HEAD_INTERVAL_MS, refresh)),
      (error: unknown) => {
        context.log.error('head.not_signed', errorFields(error));
        cancel = context.clock.after(60_000, refresh);
      },
    );
  }
}
