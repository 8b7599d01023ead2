import { isDeepStrictEqual } from 'node:util';
import type { DeviceId, OrgId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';
import { MOST_TOLD_ROLES } from '@ringfence/protocol/messages';
import type { CustodianContext } from '../context.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';

/** Tells the control plane of the devices whose roles are others after a change of the keyring, and of those that came with it. */
export async function announceChangedRoles(tx: Tx, org: OrgId, before: Keyring, keyring: Keyring): Promise<void> {
  for (const { id } of keyring.devices())
    if (before.device(id) === undefined || !isDeepStrictEqual(before.roleWords(id), keyring.roleWords(id)))
      await announce(tx, org, keyring, id);
}

/** Tells the control plane once what earlier releases did not tell it: the roles of all devices. */
export async function announceRolesOnce({ store }: CustodianContext, org: OrgId, keyring: Keyring): Promise<void> {
  await store.withOrg(org, async (tx) => {
    const untold = await tx
      .updateTable('organisation')
      .set({ roles_told: true })
      .where('org', '=', org)
      .where('roles_told', '=', false)
      .returning('org')
      .executeTakeFirst();
    if (untold === undefined) return;
    for (const { id } of keyring.devices()) await announce(tx, org, keyring, id);
  });
}

/** Beyond the most that a message holds, roles of the whole organisation come first. */
async function announce(tx: Tx, org: OrgId, keyring: Keyring, device: DeviceId): Promise<void> {
  const roles = keyring
    .rolesOf(device)
    .toSorted((one, other) => Number(one.project !== undefined) - Number(other.project !== undefined))
    .slice(0, MOST_TOLD_ROLES)
    .map(({ role, project }) => ({ role, ...(project === undefined ? {} : { project }) }));
  await enqueue(tx, org, { name: 'device-roles', body: { device, keyringSeq: keyring.head.seq, roles } });
}
