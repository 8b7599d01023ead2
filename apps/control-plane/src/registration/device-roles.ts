import type { OrgId } from '@ringfence/base';
import type { Role } from '@ringfence/policy/authorise';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';

/** What a custodian that says nothing of roles leaves its devices: an organisation had one, its owner's. */
const BEFORE_ROLES: readonly Role[] = [{ role: 'owner' }];

/** Takes a custodian's word on the roles of a device of its organisation; an older word than the one that is kept changes nothing. */
export async function takeDeviceRoles(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { device, keyringSeq, roles }: MessageBody<'device-roles'>,
): Promise<void> {
  await tx.updateTable('organisation').set({ tells_roles: true }).where('org', '=', org).execute();
  const noted = await tx
    .updateTable('party')
    .set({ roles: JSON.stringify(roles), roles_seq: keyringSeq })
    .where('id', '=', device)
    .where('role', '=', 'device')
    .where('removed', '=', false)
    .where((party) => party.or([party('roles_seq', 'is', null), party('roles_seq', '<=', keyringSeq)]))
    .returning('id')
    .executeTakeFirst();
  if (noted !== undefined) await context.record(tx, org, { type: 'roles-noted', device, keyringSeq, roles });
}

/** The roles that count for a device: those that its custodian named; none where it names roles and named none for this one. */
export function countingRoles(row: {
  readonly roles: readonly Role[] | null;
  readonly tells_roles: boolean;
}): readonly Role[] {
  return row.roles ?? (row.tells_roles ? [] : BEFORE_ROLES);
}
