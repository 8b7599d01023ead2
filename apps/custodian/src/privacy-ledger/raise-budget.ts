import type { DeviceId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { KeyringError, readStatement, verifyStatement, type Verified } from '@ringfence/keyring';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { requireDatasetOwner } from '../release/dataset-owners.ts';
import type { Tx } from '../store/open-store.ts';
import { requireUnit } from './budgets.ts';
import { settle } from './settle.ts';
import { spellUnit } from './spelled.ts';

/** A device's clock may be so much ahead. */
const CLOCKS_APART_MS = 300_000;

/**
 * What the owner's device signed about a budget, and as many officers as a change of the keyring takes. Throws CustodianError `bad-statement`.
 */
export function assertRaise(
  { clock }: Pick<CustodianContext, 'clock'>,
  { keyring, org }: ClaimedOrganisation,
  envelope: Envelope,
): Verified<'privacy-budget'> {
  try {
    const read = readStatement('privacy-budget', envelope);
    const owner = keyring.deviceKey(read.claimed.device);
    const officers = keyring.devices().flatMap(({ id, sign }) => (keyring.isOfficer(id) ? [sign] : []));
    const verified = verifyStatement(read, officers, Math.max(1, keyring.quorum));
    verifyStatement(read, owner === undefined ? [] : [owner]);
    if (verified.body.org !== org || verified.body.at > clock.now() + CLOCKS_APART_MS) throw bad();
    return verified;
  } catch (cause) {
    if (cause instanceof KeyringError) throw bad(cause);
    throw cause;
  }
}

/**
 * Replaces a budget by the one that is signed, where it is the very one that the statement replaces and was set before it was signed; with it settles
 * what is in doubt, where the statement says so. Throws CustodianError `bad-statement`, `not-authorised`, `conflict`.
 */
export async function keepRaise(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { envelope, device }: { readonly envelope: Envelope; readonly device: DeviceId },
): Promise<void> {
  const { body, digest } = assertRaise(context, claimed, envelope);
  const { artifact, before, unit, epsilon, delta, settled, at } = body;
  await requireDatasetOwner(context, tx, claimed, { artifact, device: body.device });
  const replaced = await tx
    .updateTable('privacy_budget')
    .set({ unit: spellUnit(unit), epsilon, delta, device: body.device, at })
    .where('artifact', '=', artifact)
    .where('unit', '=', spellUnit(before.unit))
    .where('epsilon', '=', before.epsilon)
    .where('delta', '=', before.delta)
    .where('at', '<', at)
    .returning('artifact')
    .executeTakeFirst();
  if (replaced === undefined)
    throw new CustodianError('conflict', 'the budget is not the one any more that the statement replaces', {
      next: 'look at what counts now (`ringfence dp status`), and sign again',
    });
  await requireUnit(tx, artifact);
  if (settled !== undefined) await settle(context, tx, { artifact, device: body.device, settled });
  await context.record(tx, claimed.org, {
    type: 'privacy-word-kept',
    artifact,
    unit: unit.kind,
    epsilon,
    delta,
    settles: settled !== undefined,
    statement: digest,
    device,
  });
}

function bad(cause?: unknown): CustodianError {
  return new CustodianError('bad-statement', 'this is not signed by the owner of the dataset and enough officers', {
    cause,
    next: 'let another officer sign it too: `ringfence dp budget --signed FILE`',
  });
}
