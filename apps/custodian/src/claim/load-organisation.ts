import { epochMs } from '@ringfence/base';
import type { CustodianStore } from '../store/open-store.ts';
import { ClaimedOrganisation } from './claimed-organisation.ts';

/** An organisation in the database, and whether its control plane has taken it. */
export interface LoadedOrganisation {
  readonly organisation: ClaimedOrganisation;
  readonly registered: boolean;
}

/** The organisation of this database, if it has one. */
export async function loadOrganisation(store: CustodianStore): Promise<LoadedOrganisation | undefined> {
  const found = await store.withSystem('find-organisation', (tx) =>
    tx.selectFrom('organisation').select('org').executeTakeFirst(),
  );
  if (found === undefined) return undefined;
  return store.withOrg(found.org, async (tx) => {
    const row = await tx
      .selectFrom('organisation')
      .select(['org', 'project', 'state', 'control_plane', 'epoch', 'head', 'head_at'])
      .executeTakeFirstOrThrow();
    const statements = await tx.selectFrom('keyring_statement').select('envelope').orderBy('seq').execute();
    const organisation = new ClaimedOrganisation({
      org: row.org,
      project: row.project,
      controlPlane: row.control_plane,
      epoch: row.epoch,
      statements: statements.map(({ envelope }) => envelope),
      head: row.head,
      headAt: epochMs(row.head_at),
    });
    return { organisation, registered: row.state === 'claimed' };
  });
}
