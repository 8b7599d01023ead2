import type { OrgId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { readEvidence, type EvidenceClaim, type Keyring } from '@ringfence/keyring';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';

/** What the control plane is told of a document that counts: where it may place, by random ids, words of lists and times. */
export function countsNotice({ digest, provider, ...claim }: EvidenceClaim): DurablePartyMessage {
  const { standard, grade, from, until } = claim;
  const sites = [...claim.sites];
  return {
    name: 'evidence',
    body: { op: 'add', evidence: digest, standard, grade, provider: provider ?? null, sites, from, until },
  };
}

/** What it is told of one that counts no more. */
export function countsNoMoreNotice(digest: EvidenceClaim['digest']): DurablePartyMessage {
  return { name: 'evidence', body: { op: 'remove', evidence: digest } };
}

/** Tells the control plane of the documents that counted by the keyring `before` and do not by the one of `now`. */
export async function announceLostEvidence(tx: Tx, org: OrgId, before: Keyring, now: Keyring): Promise<void> {
  const rows = await tx
    .selectFrom('evidence')
    .select(['digest', 'document'])
    .where('revocation', 'is', null)
    .orderBy('at')
    .execute();
  for (const { digest, document } of rows)
    if ('claim' in readEvidence(document, [], before) && !('claim' in readEvidence(document, [], now)))
      await enqueue(tx, org, countsNoMoreNotice(digest));
}

/** Tells the control plane anew of every document, by the keyring as it is now. */
export async function announceEvidence(tx: Tx, org: OrgId, keyring: Keyring): Promise<void> {
  const rows = await tx.selectFrom('evidence').select(['digest', 'document', 'revocation']).orderBy('at').execute();
  for (const { digest, document, revocation } of rows) {
    const read = readEvidence(document, revocation === null ? [] : [revocation], keyring);
    await enqueue(tx, org, 'claim' in read ? countsNotice(read.claim) : countsNoMoreNotice(digest));
  }
  await tx.updateTable('evidence').set({ provider_told: true }).where('provider_told', '=', false).execute();
}
