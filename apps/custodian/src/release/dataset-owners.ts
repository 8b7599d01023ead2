import type { ArtifactId, DeviceId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';

/** Who stands in for an owner whose device has left the keyring or may release nothing any more, the first that somebody has. */
const STAND_INS = ['data-owner', 'owner'] as const;

/** The devices whose word counts for a dataset now; none when nobody could sign one. */
export async function ownersOfDataset(
  context: Pick<CustodianContext, 'authoriser'>,
  tx: Tx,
  claimed: ClaimedOrganisation,
  artifact: ArtifactId,
): Promise<readonly DeviceId[]> {
  const { keyring, project } = claimed;
  const row = await tx.selectFrom('dataset_owner').select('device').where('artifact', '=', artifact).executeTakeFirst();
  if (row !== undefined && mayRelease(context, claimed, row.device)) return [row.device];
  for (const role of STAND_INS) {
    const holders = holdersOf(keyring, role, project);
    if (holders.length > 0) return holders;
  }
  return [];
}

/** Whether a device is in the keyring, with a role by which it may release what is its own. */
export function mayRelease(
  { authoriser }: Pick<CustodianContext, 'authoriser'>,
  { org, project, keyring }: ClaimedOrganisation,
  device: DeviceId,
): boolean {
  if (keyring.device(device) === undefined) return false;
  const principal = { type: 'Device', id: device, org, roles: keyring.rolesOf(device) } as const;
  const resource = { type: 'Organisation', id: org, org, project } as const;
  return authoriser.authorise({ principal, action: 'release:approve', resource }).allow;
}

/**
 * How long a dataset is kept, and that it is erased, is its owner's to say, or that of whoever has the role `owner`; of an output, which has no
 * owner of its own, nothing is asked here. Throws CustodianError `not-authorised`.
 */
export async function requireDatasetOwner(
  context: Pick<CustodianContext, 'authoriser'>,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { artifact, device }: { artifact: ArtifactId; device: DeviceId },
): Promise<void> {
  const row = await tx.selectFrom('artifact').select('kind').where('artifact', '=', artifact).executeTakeFirst();
  if (row?.kind !== 'dataset') return;
  const { keyring, project } = claimed;
  if (holdersOf(keyring, 'owner', project).includes(device)) return;
  if ((await ownersOfDataset(context, tx, claimed, artifact)).includes(device)) return;
  throw new CustodianError('not-authorised', 'this device does not own the dataset', {
    next: 'ask its owner, or a member with the role owner',
  });
}

function holdersOf(keyring: Keyring, role: (typeof STAND_INS)[number], project: string): DeviceId[] {
  return keyring
    .devices()
    .filter(({ roles }) =>
      roles.some((bound) => bound.role === role && (bound.project === undefined || bound.project === project)),
    )
    .map(({ id }) => id);
}

/**
 * Makes `owner`, or whoever adds it, the owner of a dataset that has none; of another one only its owner names another, or lowers its label.
 * Throws CustodianError `not-authorised`, `not-found`.
 */
export async function claimDataset(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  {
    artifact,
    device,
    owner,
    lowerLabel,
  }: { artifact: ArtifactId; device: DeviceId; owner?: DeviceId | undefined; lowerLabel?: true | undefined },
): Promise<void> {
  if (owner !== undefined && claimed.keyring.device(owner) === undefined)
    throw new CustodianError('not-found', 'the owner that is named is no device of the organisation', {
      next: 'see `ringfence device ls`',
    });
  const named = { org: claimed.org, artifact, device: owner ?? device, at: context.clock.now() };
  const isNew = await tx
    .insertInto('dataset_owner')
    .values(named)
    .onConflict((conflict) => conflict.columns(['org', 'artifact']).doNothing())
    .returning('artifact')
    .executeTakeFirst();
  if (isNew !== undefined || (owner === undefined && lowerLabel !== true)) return;
  if (!(await ownersOfDataset(context, tx, claimed, artifact)).includes(device))
    throw new CustodianError('not-authorised', 'only the owner of a dataset names another owner, or lowers its label', {
      next: 'ask its owner: `ringfence release ls` names who signs for it',
    });
  if (owner !== undefined) await tx.updateTable('dataset_owner').set(named).where('artifact', '=', artifact).execute();
}
