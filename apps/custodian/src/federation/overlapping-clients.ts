import type { ArtifactId } from '@ringfence/base';
import type { Contract } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { familyOf } from '../privacy-ledger/lineage.ts';
import type { Tx } from '../store/open-store.ts';

/** Why a client may not train beside another one of the same people's rows. */
export const CLIENTS_OVERLAP = 'clients-overlap';

/**
 * Whether another client of a contract with noise trains here on rows that may be of the same people as those of `dataset`. One person would be in the same sum twice, which
 * moves it further than the noise is made for: two debits of one contribution each would not count it.
 */
export async function overlapsAnotherClient(
  tx: Tx,
  { org }: Pick<ClaimedOrganisation, 'org'>,
  { clients, privacy }: Pick<Contract, 'clients' | 'privacy'>,
  dataset: ArtifactId,
): Promise<boolean> {
  if (privacy.noise === null) return false;
  const beside = clients.filter((client) => client.org === org && client.dataset.artifact !== dataset);
  if (beside.length === 0) return false;
  const family = new Set(await familyOf(tx, dataset));
  return beside.some((client) => family.has(client.dataset.artifact));
}
