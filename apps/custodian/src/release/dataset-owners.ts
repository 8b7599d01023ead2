import type { ArtifactId, DeviceId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';

/** Who stands in for an owner whose device has left the keyring, the first that somebody has. */
const STAND_INS = ['data-owner', 'owner'] as const;

/** The devices whose word counts for a dataset now; none when nobody could sign one. */
export async function ownersOfDataset(
  tx: Tx,
  { keyring, project }: ClaimedOrganisation,
  artifact: ArtifactId,
): Promise<readonly DeviceId[]> {
  const row = await tx.selectFrom('dataset_owner').select('device').where('artifact', '=', artifact).executeTakeFirst();
  if (row !== undefined && keyring.device(row.device) !== undefined) return [row.device];
  for (const role of STAND_INS) {
    const holders = holdersOf(keyring, role, project);
    if (holders.length > 0) return holders;
  }
  return [];
}

/**
 * How long a dataset is kept, and that it is erased, is its owner's to say, or that of whoever has the role `owner`; of an output, which has no
 * owner of its own, nothing is asked here. Throws CustodianError `not-authorised`.
 */
export async function requireDatasetOwner(
  tx: Tx,
  claimed: ClaimedOrganisation,
  { artifact, device }: { artifact: ArtifactId; device: DeviceId },
): Promise<void> {
  const row = await tx.selectFrom('artifact').select('kind').where('artifact', '=', artifact).executeTakeFirst();
  if (row?.kind !== 'dataset') return;
  const { keyring, project } = claimed;
  if (holdersOf(keyring, 'owner', project).includes(device)) return;
  if ((await ownersOfDataset(tx, claimed, artifact)).includes(device)) return;
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
  { clock }: CustodianContext,
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
  const named = { org: claimed.org, artifact, device: owner ?? device, at: clock.now() };
  const isNew = await tx
    .insertInto('dataset_owner')
    .values(named)
    .onConflict((conflict) => conflict.columns(['org', 'artifact']).doNothing())
    .returning('artifact')
    .executeTakeFirst();
  if (isNew !== undefined || (owner === undefined && lowerLabel !== true)) return;
  if (!(await ownersOfDataset(tx, claimed, artifact)).includes(device))
    throw new CustodianError('not-authorised', 'only the owner of a dataset names another owner, or lowers its label', {
      next: 'ask its owner: `ringfence release ls` names who signs for it',
    });
  if (owner !== undefined) await tx.updateTable('dataset_owner').set(named).where('artifact', '=', artifact).execute();
}
