import { labelOf, meetLabels, residencyList, residencyOf, type Label } from '@ringfence/policy';
import type { LabelStatement } from '@ringfence/protocol/statements';
import { findVersionOf } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import type { ArtifactDetails } from '../store/sealed-columns.ts';
import type { AttemptTable } from '../store/tables.ts';
import type { Selectable } from 'kysely';

/** What an output inherits. */
export type OutputLabel = Pick<ArtifactDetails, 'sensitivity' | 'residency' | 'purposes' | 'noPurpose'>;

/**
 * The label of what an attempt made: the strictest of the job's own, of the versions that were mounted and of their newest ones, so that a
 * version which the owner added meanwhile can tighten, never loosen (invariant 7).
 */
export async function outputLabel(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, mounts }: { job: LabelStatement; mounts: Selectable<AttemptTable>['mounts'] },
): Promise<OutputLabel> {
  let label: Label = {
    sensitivity: job.sensitivity,
    residency: residencyOf(job.residency),
    purposes: 'any',
    acceptProviderPlaintext: false,
  };
  for (const { artifact, version } of mounts)
    for (const which of [{ artifact, version }, { artifact }]) {
      const found = await findVersionOf(context, tx, claimed, which);
      if (found === undefined) throw new Error('a mounted version is gone');
      label = meetLabels(label, labelOf(found));
    }
  const residency = residencyList(label.residency);
  const { sensitivity, purposes } = label;
  // An empty list restricts nothing, so a contradiction needs a word of its own; where no place is left, no use is either.
  const nothing = residency === undefined || (purposes !== 'any' && purposes.length === 0);
  return {
    sensitivity,
    residency: residency ?? job.residency,
    purposes: purposes === 'any' ? [] : [...purposes],
    ...(nothing ? { noPurpose: true as const } : {}),
  };
}
