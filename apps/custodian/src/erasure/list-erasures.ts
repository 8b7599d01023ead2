import { epochMs } from '@ringfence/base';
import type { erasuresAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

const MOST = 1_000;

/** Reports of erasures, the newest first. */
export async function listErasures(
  { store }: CustodianContext,
  { org }: ClaimedOrganisation,
): Promise<z.output<typeof erasuresAnswer>['erasures']> {
  const rows = await store.withOrg(org, (tx) =>
    tx.selectFrom('erasure').select(['at', 'digest', 'report']).orderBy('at', 'desc').limit(MOST).execute(),
  );
  return rows.map(({ at, digest, report }) => ({ at: epochMs(at), digest, ...report }));
}
