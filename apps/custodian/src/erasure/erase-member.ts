import { isId, type DeviceId, type MemberId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { forgetSubject } from '@ringfence/store/audit-log';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';

/**
 * Erases what says whose a member's random id was: name, devices, factors, recovery codes, and the key of what the log says of the member. The keyring,
 * statements and the log keep the random ids. Throws CustodianError `not-found`, `conflict` while a device of the member is in the keyring.
 */
export async function eraseMember(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  id: string,
  device: DeviceId,
): Promise<Envelope> {
  const member = isId('member', id) ? id : undefined;
  return context.store.withOrg(claimed.org, async (tx) => {
    const row = await tx
      .selectFrom('member')
      .select('member')
      .where('member', '=', member ?? ('' as MemberId))
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined)
      throw new CustodianError('not-found', 'there is no such member', { next: 'see `ringfence device ls`' });
    await refuseWhileMember(tx, claimed, row.member);
    const gone = await forget(tx, row.member);
    const subjectKey = await forgetSubject(tx, claimed.org, row.member);
    await context.record(tx, claimed.org, { type: 'member-erased', member: row.member, device });
    const { keys, clock } = context;
    const body = { v: 1, org: claimed.org, custodian: keys.id, device, at: clock.now(), member: row.member } as const;
    return signStatement('member-erasure', { ...body, ...gone, subjectKey }, [keys.enrolment]);
  });
}

async function refuseWhileMember(tx: Tx, { keyring }: ClaimedOrganisation, member: MemberId): Promise<void> {
  const devices = await tx.selectFrom('member_device').select('device').where('member', '=', member).execute();
  if (devices.every(({ device }) => keyring.device(device) === undefined)) return;
  throw new CustodianError('conflict', 'a device of this member is in the keyring', {
    next: 'remove it with `ringfence device remove` first',
  });
}

async function forget(tx: Tx, member: MemberId): Promise<{ devices: number; factors: number }> {
  await tx.deleteFrom('recovery_code').where('member', '=', member).execute();
  const factors = await tx.deleteFrom('totp').where('member', '=', member).returning('totp').execute();
  const devices = await tx.deleteFrom('member_device').where('member', '=', member).returning('device').execute();
  await tx.updateTable('member').set({ name_box: null }).where('member', '=', member).execute();
  return { devices: devices.length, factors: factors.length };
}
