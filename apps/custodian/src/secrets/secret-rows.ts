import { epochMs, fromBase64Url, Secret, toBase64Url, utf8, type DeviceId } from '@ringfence/base';
import { openObjectBytes } from '@ringfence/crypto/open';
import { DataKey, sealObjectBytes } from '@ringfence/crypto/seal';
import type { SecretRow } from '@ringfence/protocol/payload';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { unwrapKey, wrapKey } from '../objects/wrapped-key.ts';
import { SECRET_NAME } from '../store/sealed-columns.ts';
import type { Tx } from '../store/open-store.ts';
import type { SecretTable } from '../store/tables.ts';

/** As many as one organisation keeps: each is read whole. */
const MOST = 10_000;

/** Names and dates, by name; never a value. */
export async function listSecrets(context: CustodianContext, tx: Tx): Promise<SecretRow[]> {
  const rows = await tx.selectFrom('secret').select(['name_index', 'name_box', 'set_at', 'device']).execute();
  return rows
    .map((row) => ({
      name: context.columns.open(SECRET_NAME, row.name_index, row.name_box),
      at: epochMs(row.set_at),
      device: row.device,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Stores a value under a name, in place of the one before: sealed under a fresh data key, which is wrapped by the organisation's
 * key-encryption key. Throws CustodianError `too-much`.
 */
export async function setSecret(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { name, value, device }: { name: string; value: string; device: DeviceId },
): Promise<SecretRow[]> {
  const { columns, rng, clock } = context;
  const index = columns.index('secret', name);
  return context.store.withOrg(claimed.org, async (tx) => {
    // The ledger's entry comes last in every transaction and is its lock; two that set one name wait for each other here.
    const before = await tx
      .selectFrom('secret')
      .select('version')
      .where('name_index', '=', index)
      .forUpdate()
      .executeTakeFirst();
    if (before === undefined && (await count(tx)) >= MOST)
      throw new CustodianError('too-much', `there are ${MOST} secrets already`, { next: 'remove some' });
    const version = (before?.version ?? 0) + 1;
    const identity = identityOf(claimed, index, version);
    const dataKey = DataKey.generate(rng);
    const row = {
      name_box: columns.seal(SECRET_NAME, index, name),
      version,
      value_box: Buffer.from(sealObjectBytes({ dataKey, identity, rng }, utf8(value)).bytes),
      ...(await wrapKey(context, tx, claimed, { ...identity, key: toBase64Url(dataKey.expose()) })),
      device,
      set_at: clock.now(),
    };
    await tx
      .insertInto('secret')
      .values({ org: claimed.org, name_index: index, ...row })
      .onConflict((conflict) => conflict.columns(['org', 'name_index']).doUpdateSet(row))
      .execute();
    await context.record(tx, claimed.org, { type: 'secret-set', secret: index, version, device });
    return listSecrets(context, tx);
  });
}

/** Removes a secret: grants that name it are refused from now on. Throws CustodianError `not-found`. */
export async function removeSecret(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  name: string,
  device: DeviceId,
): Promise<SecretRow[]> {
  const index = context.columns.index('secret', name);
  return context.store.withOrg(claimed.org, async (tx) => {
    const { numDeletedRows } = await tx.deleteFrom('secret').where('name_index', '=', index).executeTakeFirst();
    if (numDeletedRows === 0n)
      throw new CustodianError('not-found', 'there is no such secret', { next: 'see `ringfence secret ls`' });
    await context.record(tx, claimed.org, { type: 'secret-removed', secret: index, device });
    return listSecrets(context, tx);
  });
}

/** A value that a job is to be given. */
export interface NamedSecret {
  readonly name: string;
  readonly value: Secret;
}

/** The values of `names` as they are now; a name that is not there is left out. */
export async function readSecrets(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  names: readonly string[],
): Promise<NamedSecret[]> {
  const found: NamedSecret[] = [];
  for (const name of names) {
    const index = context.columns.index('secret', name);
    const row = await tx.selectFrom('secret').selectAll().where('name_index', '=', index).executeTakeFirst();
    if (row !== undefined) found.push({ name, value: await openValue(context, tx, claimed, row) });
  }
  return found;
}

async function openValue(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  row: Selectable<SecretTable>,
): Promise<Secret> {
  const identity = identityOf(claimed, row.name_index, row.version);
  const dataKey = DataKey.fromBytes(
    Uint8Array.from(fromBase64Url(await unwrapKey(context, tx, claimed, { ...row, ...identity }))),
  );
  return new Secret(openObjectBytes({ dataKey, identity }, row.value_box));
}

function identityOf({ org, project }: ClaimedOrganisation, index: string, version: number) {
  return { org, project, object: `secret:${index}`, version };
}

async function count(tx: Tx): Promise<number> {
  const { total } = await tx
    .selectFrom('secret')
    .select(({ fn }) => fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
}
