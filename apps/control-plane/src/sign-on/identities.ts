import type { MemberId, OrgId, SsoProviderId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';

/** Who somebody is at a provider, by a keyed digest. */
export interface Identity {
  readonly provider: SsoProviderId;
  readonly subject: Digest;
}

/** The active member whom a provider's word is linked to; undefined for a stranger. */
export async function memberOf(
  { store }: Pick<ControlPlaneContext, 'store'>,
  org: OrgId,
  { provider, subject }: Identity,
): Promise<MemberId | undefined> {
  const [row] = await store.queryOrg(
    org,
    (db) =>
      db
        .selectFrom('sso_identity')
        .innerJoin('member', 'member.member', 'sso_identity.member')
        .select('member.member')
        .where('provider', '=', provider)
        .where('subject_digest', '=', subject)
        .where('member.state', '=', 'active')
        .compile(),
    { readOnly: true },
  );
  return row?.member;
}

/** Links a provider's word to a member, once: false where it is another member's, or the member has another one of this provider. */
export async function linkIdentity(
  tx: Tx,
  { provider, subject }: Identity,
  { org, member, now }: { org: OrgId; member: MemberId; now: number },
): Promise<boolean> {
  const linked = await tx
    .insertInto('sso_identity')
    .values({ provider, subject_digest: subject, org, member, linked_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('member')
    .executeTakeFirst();
  return linked !== undefined;
}
