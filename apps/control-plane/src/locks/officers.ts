import { epochMs, type DeviceId, type EpochMs, type MemberId } from '@ringfence/base';
import { BY_TWO, USUAL_LONE_OFFICER, type Officer, type ProposalContext } from '@ringfence/policy/assurance';
import { mayLift, officerUnder } from '@ringfence/policy/locks';
import { readLocks } from '@ringfence/store/locks';
import type { Asker } from '../http/route.ts';
import { ASSURANCE_RULES } from '../members/assurance-rules.ts';
import { countingRoles } from '../registration/device-roles.ts';
import type { Tx } from '../store/open-store.ts';

/** So long after they accepted their invitation a member without an officer's device is nobody's second, in milliseconds. */
const NEW_MEMBER_MS = 86_400_000;

/** What counts at this moment for something that takes two people. */
export async function lockContext(tx: Tx, now: EpochMs): Promise<ProposalContext> {
  const { registered_at } = await tx.selectFrom('organisation').select('registered_at').executeTakeFirstOrThrow();
  return {
    now,
    officers: await officersOf(tx, now),
    requirement: BY_TWO,
    rules: ASSURANCE_RULES,
    loneOfficer: USUAL_LONE_OFFICER,
    foundedAt: epochMs(registered_at),
    newestWordAt: now,
  };
}

/**
 * Devices and members with a role that lifts locks in the whole organisation: the control plane is not told who is an officer by the keyring.
 * A device that is nobody's yet counts as a person of its own. A member counts with such a device, or a day after they came in: one officer
 * invites another alone, and would else be both.
 */
export async function officersOf(tx: Tx, now: EpochMs): Promise<readonly Officer[]> {
  const locks = await readLocks(tx);
  const devices = await tx
    .selectFrom('party')
    .innerJoin('organisation', 'organisation.org', 'party.org')
    .leftJoin('member_device', 'member_device.device', 'party.id')
    .select(['party.id', 'party.roles', 'tells_roles', 'member_device.member'])
    .where('party.role', '=', 'device')
    .where('removed', '=', false)
    .execute();
  const members = await tx
    .selectFrom('member')
    .leftJoin('invitation', 'invitation.member', 'member.member')
    .select(['member.member', 'member.roles', 'invitation.spent_at'])
    .where('state', '=', 'active')
    .execute();
  const withDevice = new Set(devices.flatMap((row) => (mayLift(countingRoles(row)) ? [row.member] : [])));
  const counting = members.filter(
    ({ member, spent_at }) => withDevice.has(member) || (spent_at !== null && spent_at + NEW_MEMBER_MS <= now),
  );
  return [
    ...devices.map((row) => ({
      device: row.id as DeviceId,
      member: row.member ?? personOf(row.id),
      roles: countingRoles(row),
    })),
    // A session acts without a device; its member stands in the place of one.
    ...counting.map(({ member, roles }) => ({ device: deviceOf(member), member, roles })),
  ]
    .filter(({ roles }) => mayLift(roles))
    .map((one) => officerUnder(one, { locks, now }));
}

/** Whose word it is: a device's member's, where it is known whose it is; a session's is its member's. */
export function actorOf(officers: readonly Officer[], asker: Asker): Pick<Officer, 'device' | 'member'> {
  const device = 'device' in asker ? asker.device : deviceOf(asker.member);
  return officers.find((officer) => officer.device === device) ?? { device, member: personOf(device) };
}

function personOf(device: string): MemberId {
  return device as MemberId;
}

function deviceOf(member: MemberId): DeviceId {
  return member as string as DeviceId;
}
