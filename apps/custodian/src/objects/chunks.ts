import { fromBase64Url, type AgentId } from '@ringfence/base';
import { CryptoError, openObjectBytes } from '@ringfence/crypto/open';
import { chunkId, DataKey } from '@ringfence/crypto/seal';
import type { Digest } from '@ringfence/crypto/sign';
import type { ChunkReference } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { unwrapKey, wrapUnder } from './wrapped-key.ts';

/** Of these chunks, the ones that are stored, with all that a manifest needs. For devices: an agent must not learn whether a file exists. */
export async function presentChunks(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  ids: readonly Digest[],
): Promise<ChunkReference[]> {
  return context.store.withOrg(claimed.org, async (tx) => {
    const chunks = tx.selectFrom('chunk').where('id', '=', sql<Digest>`any(${[...ids]})`);
    // Whoever is told that a chunk is here will not send it: it has to stay. What goes meanwhile is not told.
    const named = await chunks.select('digest').execute();
    await useObjects(
      tx,
      named.map(({ digest }) => digest),
      context.clock.now(),
    );
    const rows = await chunks.selectAll().execute();
    return Promise.all(
      rows.map(async ({ id, digest, size, ...wrapped }) => ({
        id,
        digest,
        size,
        key: await unwrapKey(context, tx, claimed, { ...wrapped, object: id, version: 1 }),
      })),
    );
  });
}

/** A sealed chunk: 1 MiB and what sealing adds to it. */
const LARGEST_CHUNK = 1_048_576 + 65_536;

/**
 * Makes uploaded chunks known by their ids; the first of equal ones stays. Each is opened first: another device will trust that the id, the
 * key and the bytes belong together. Throws CustodianError `missing-objects`, `bad-request`.
 */
export async function registerChunks(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  chunks: readonly ChunkReference[],
): Promise<void> {
  const { org } = claimed;
  const digests = chunks.map(({ digest }) => digest);
  await context.store.withOrg(org, (tx) => requireObjects(tx, digests, context.clock.now()));
  // One after another: a request names up to 20,000.
  for (const chunk of chunks)
    if (!(await isWhatItSays(context, claimed, chunk)))
      throw new CustodianError('bad-request', 'a chunk is not what its id, size or key says', {
        next: 'seal and upload it again with a current client',
      });
  await context.store.withOrg(org, async (tx) => {
    const kek = await context.projectKeys.current(tx, claimed);
    const rows = chunks.map(({ id, digest, key, size }) => ({
      id,
      org,
      digest,
      size,
      ...wrapUnder(kek, claimed, { object: id, version: 1, key }, context.rng),
    }));
    for (let at = 0; at < rows.length; at += 1_000)
      await tx
        .insertInto('chunk')
        .values(rows.slice(at, at + 1_000))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  });
}

async function isWhatItSays(
  { objects, keys }: CustodianContext,
  { org, project }: ClaimedOrganisation,
  { id, digest, key, size }: ChunkReference,
): Promise<boolean> {
  const sealed = await objects.readWhole(digest, LARGEST_CHUNK);
  if (sealed === undefined) return false;
  try {
    const dataKey = DataKey.fromBytes(Uint8Array.from(fromBase64Url(key)));
    const plain = openObjectBytes({ dataKey, identity: { org, project, object: id, version: 1 } }, sealed);
    return plain.length === size && chunkId(keys.dedupe, plain) === id;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
}

/** Throws CustodianError `missing-objects` unless all these objects are stored. */
export async function requireObjects(tx: Tx, digests: readonly Digest[], now: number): Promise<void> {
  if (await haveObjects(tx, digests, now)) return;
  throw new CustodianError('missing-objects', 'an object that is named was not uploaded', {
    next: 'upload all objects first, then ask again',
  });
}

/** Whether all these objects are stored, and `uploader`, if one is given, was the first to bring each. */
export async function haveObjects(
  tx: Tx,
  digests: readonly Digest[],
  now: number,
  uploader?: AgentId,
): Promise<boolean> {
  const wanted = [...new Set(digests)];
  const { count } = await tx
    .selectFrom('object')
    .select((build) => build.fn.countAll<number>().as('count'))
    .where('digest', '=', sql<Digest>`any(${wanted})`)
    .$if(uploader !== undefined, (query) => query.where('uploader', '=', uploader ?? null))
    .executeTakeFirstOrThrow();
  if (count !== wanted.length) return false;
  // Told in the rows, so that nothing removes them before the manifest that names them is committed.
  await useObjects(tx, wanted, now);
  return true;
}

/** Objects are noted as relied on when the last note is older, in milliseconds: less than any grace of pruning. */
const NOTE_AFTER_MS = 1_800_000;

/** Notes that something new relies on these objects. */
async function useObjects(tx: Tx, digests: readonly Digest[], now: number): Promise<void> {
  await tx
    .updateTable('object')
    .set({ used_at: now })
    .where('digest', '=', sql<Digest>`any(${[...digests]})`)
    .where('used_at', '<', now - NOTE_AFTER_MS)
    .execute();
}
