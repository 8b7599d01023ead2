import type { Digest } from '@ringfence/crypto/sign';
import type { ChunkReference } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { unwrapKey, wrapKey } from './wrapped-key.ts';

/** Of these chunks, the ones that are stored, with all that a manifest needs. For devices: an agent must not learn whether a file exists. */
export async function presentChunks(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  ids: readonly Digest[],
): Promise<ChunkReference[]> {
  const rows = await context.store.withOrg(claimed.org, (tx) =>
    tx
      .selectFrom('chunk')
      .selectAll()
      .where('id', '=', sql<Digest>`any(${[...ids]})`)
      .execute(),
  );
  return rows.map(({ id, digest, size, ...wrapped }) => ({
    id,
    digest,
    size,
    key: unwrapKey(context, claimed, { object: id, version: 1 }, wrapped),
  }));
}

/** Makes uploaded chunks known by their ids; the first of equal ones stays. Throws CustodianError `missing-objects`. */
export async function registerChunks(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  chunks: readonly ChunkReference[],
): Promise<void> {
  const { org } = claimed;
  const rows = chunks.map(({ id, digest, key, size }) => ({
    id,
    org,
    digest,
    size,
    ...wrapKey(context, claimed, { object: id, version: 1 }, key),
  }));
  await context.store.withOrg(org, async (tx) => {
    await requireObjects(
      tx,
      chunks.map(({ digest }) => digest),
    );
    for (let at = 0; at < rows.length; at += 1_000)
      await tx
        .insertInto('chunk')
        .values(rows.slice(at, at + 1_000))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  });
}

/** Throws CustodianError `missing-objects` unless all these objects are stored. */
export async function requireObjects(tx: Tx, digests: readonly Digest[]): Promise<void> {
  if (await haveObjects(tx, digests)) return;
  throw new CustodianError('missing-objects', 'an object that is named was not uploaded', {
    next: 'upload all objects first, then ask again',
  });
}

/** Whether all these objects are stored. */
export async function haveObjects(tx: Tx, digests: readonly Digest[]): Promise<boolean> {
  const wanted = [...new Set(digests)];
  const { count } = await tx
    .selectFrom('object')
    .select((build) => build.fn.countAll<number>().as('count'))
    .where('digest', '=', sql<Digest>`any(${wanted})`)
    .executeTakeFirstOrThrow();
  return count === wanted.length;
}
