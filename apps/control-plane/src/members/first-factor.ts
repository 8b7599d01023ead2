import type { MemberId, OrgId } from '@ringfence/base';
import type { Tx } from '../store/open-store.ts';

/**
 * After a member enrolled a factor beside a password: the first of an owner's or officer's ends the time in which devices' keys are all that there
 * is. It never comes back by taking factors away.
 */
export async function noteFirstFactor(
  tx: Tx,
  { org, member, now }: { readonly org: OrgId; readonly member: MemberId; readonly now: number },
): Promise<void> {
  const { roles } = await tx
    .selectFrom('member')
    .select('roles')
    .where('member', '=', member)
    .executeTakeFirstOrThrow();
  if (!roles.some(({ role, project }) => project === undefined && (role === 'owner' || role === 'officer'))) return;
  await tx
    .updateTable('organisation')
    .set({ factors_since: now })
    .where('org', '=', org)
    .where('factors_since', 'is', null)
    .execute();
}
