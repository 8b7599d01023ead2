import type { DeviceId, MemberId } from '@ringfence/base';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { MEMBER_NAME } from '../store/sealed-columns.ts';

/** A member, with the devices of the keyring that are theirs. */
export interface MemberView {
  readonly member: MemberId;
  readonly name: string | null;
  readonly devices: DeviceId[];
  readonly officer: boolean;
  readonly factors: string[];
}

/** Everybody whose device the keyring names. */
export async function listMembers(context: CustodianContext, claimed: ClaimedOrganisation): Promise<MemberView[]> {
  const { store, access, columns } = context;
  const { keyring } = claimed;
  const names = await store.withOrg(claimed.org, (tx) =>
    tx.selectFrom('member').select(['member', 'name_box']).where('name_box', 'is not', null).execute(),
  );
  const nameOf = new Map(
    names.map(({ member, name_box: box }) => [member, box === null ? null : columns.open(MEMBER_NAME, member, box)]),
  );
  const members = Map.groupBy(keyring.devices(), ({ id }) => access.memberOf(id));
  return [...members].map(([member, devices]) => ({
    member,
    name: nameOf.get(member) ?? null,
    devices: devices.map(({ id }) => id),
    officer: devices.some(({ id }) => keyring.isOfficer(id)),
    factors: access.hasTotp(member) ? ['totp'] : [],
  }));
}

/** The row of the member whose `device` is; makes it where there was none yet. */
export async function rowOfMember(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation, device: DeviceId) {
  const { access, clock } = context;
  const { org } = claimed;
  const member = access.memberOf(device);
  await tx
    .insertInto('member')
    .values({ member, org, name_box: null, made_at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tx
    .insertInto('member_device')
    .values({ device, org, member })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return member;
}

/**
 * Says that `device` is the same person's as `like`, or what that person is called. A device whose person was said, or showed something, stays
 * theirs: two devices of one person would otherwise become two people again. Nor does it make two officers one, who would then be all that two
 * people are asked for. Throws CustodianError `not-found`, `conflict`.
 */
export async function nameMember(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  {
    device,
    like,
    name,
  }: { readonly device: DeviceId; readonly like?: DeviceId | undefined; readonly name?: string | undefined },
): Promise<MemberView[]> {
  const { access, store, columns } = context;
  if ([device, like ?? device].some((id) => claimed.keyring.device(id) === undefined))
    throw new CustodianError('not-found', 'there is no such device', { next: 'see `ringfence device ls`' });
  if (like !== undefined) assertNoFewerOfficers(context, claimed, { device, like });
  const { org } = claimed;
  const member = await store.withOrg(org, async (tx) => {
    const theirs = await rowOfMember(context, tx, claimed, like ?? device);
    if (like !== undefined) {
      await tx
        .insertInto('member_device')
        .values({ device, org, member: theirs })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const row = await tx
        .selectFrom('member_device')
        .select('member')
        .where('device', '=', device)
        .executeTakeFirstOrThrow();
      if (row.member !== theirs)
        throw new CustodianError('conflict', 'this device is another person’s, who has said or shown something', {
          next: 'remove the device, and add it again under fresh keys',
        });
    }
    if (name !== undefined)
      await tx
        .updateTable('member')
        .set({ name_box: columns.seal(MEMBER_NAME, theirs, name) })
        .where('member', '=', theirs)
        .execute();
    await context.record(tx, org, { type: 'member-named', member: theirs, device });
    return theirs;
  });
  access.noteDevice(device, member);
  if (like !== undefined) access.noteDevice(like, member);
  return listMembers(context, claimed);
}

function assertNoFewerOfficers(
  { access }: CustodianContext,
  { keyring }: ClaimedOrganisation,
  { device, like }: { readonly device: DeviceId; readonly like: DeviceId },
): void {
  const officers = keyring.devices().filter(({ id }) => keyring.isOfficer(id));
  const now = new Set(officers.map(({ id }) => access.memberOf(id)));
  const then = new Set(officers.map(({ id }) => access.memberOf(id === device ? like : id)));
  if (then.size < now.size)
    throw new CustodianError('conflict', 'this would make two officers one person', {
      next: 'say whose a device is before it becomes an officer’s: remove this one, add it again under fresh keys, name it, then make it one',
    });
}
