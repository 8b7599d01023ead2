import { epochMs, type Clock, type DeviceId } from '@ringfence/base';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { TombstoneStatement } from '@ringfence/protocol/statements';
import type { Selectable } from 'kysely';
import type { Fault } from '../fault-points.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';
import { BUILT_IN } from '../keys/built-in-provider.ts';
import type { Destruction } from '../keys/kek-provider.ts';
import type { KeyOwner, ProjectKeys } from '../keys/project-keys.ts';
import { endRotation, type Rotation } from '../keys/rotation.ts';
import { countWrapped } from '../keys/wrapped-tables.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import type { TombstoneTable } from '../store/key-tables.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';

/** What crypto-shredding works with. */
export interface ShredKeysParts {
  readonly store: Pick<CustodianStore, 'withOrg'>;
  readonly keys: Pick<CustodianKeys, 'id' | 'enrolment'>;
  readonly projectKeys: ProjectKeys;
  readonly rotation: Rotation;
  readonly clock: Clock;
  readonly record: RecordEvent;
  readonly fault: Fault;
}

/** What is destroyed: all that a project has, or all that the organisation has. */
export type ShredKind = TombstoneTable['kind'];

type Row = Selectable<TombstoneTable>;
type KeyEnd = Pick<TombstoneStatement, 'organisationKey' | 'goneBy'>;

/**
 * Destroys the keys of the project, and of the organisation when that is meant, and signs the tombstone. From the first transaction on nothing
 * opens here any more; the organisation's key follows, so that copies of the database from before are useless, too. Said again, it goes on
 * where it was, and gives the same tombstone. Throws CustodianError `kek-…` when the provider does not answer: then it is to be said again.
 */
export function shredKeys(
  parts: ShredKeysParts,
  owner: KeyOwner,
  wish: { readonly kind: ShredKind; readonly device: DeviceId },
): Promise<Envelope> {
  return parts.rotation.exclusively(() => shred(parts, owner, wish));
}

async function shred(
  parts: ShredKeysParts,
  owner: KeyOwner,
  { kind, device }: { readonly kind: ShredKind; readonly device: DeviceId },
): Promise<Envelope> {
  const { store, projectKeys, fault } = parts;
  const row = await store.withOrg(owner.org, async (tx) => {
    const begun = (await tombstoneOf(tx, kind)) ?? (await destroyProjectKeys(parts, tx, owner, { kind, device }));
    fault('kek-shred-before-commit');
    return begun;
  });
  fault('kek-shred-after-commit');
  projectKeys.forget();
  if (row.envelope !== null) return row.envelope;
  const end = await endOrganisationKey(parts, owner, kind);
  fault('tombstone-before-commit');
  return store.withOrg(owner.org, (tx) => signTombstone(parts, tx, row, end));
}

/** Shreddings that a crash cut short go on. */
export async function finishShredding(parts: ShredKeysParts, owner: KeyOwner): Promise<void> {
  const open = await parts.store.withOrg(owner.org, (tx) =>
    tx.selectFrom('tombstone').select(['kind', 'device']).where('envelope', 'is', null).execute(),
  );
  for (const { kind, device } of open) await shredKeys(parts, owner, { kind, device });
}

function tombstoneOf(tx: Tx, kind: ShredKind): Promise<Row | undefined> {
  return tx.selectFrom('tombstone').selectAll().where('kind', '=', kind).executeTakeFirst();
}

/** The rows that have wrapped keys go with the keys that would open them: one that lay under the key of an earlier release would still open. */
async function destroyProjectKeys(
  { clock }: ShredKeysParts,
  tx: Tx,
  { org, project }: KeyOwner,
  { kind, device }: { readonly kind: ShredKind; readonly device: DeviceId },
): Promise<Row> {
  const at = clock.now();
  // Before the keys, as a batch of wrapping again locks them.
  await endRotation(tx, at);
  const destroyed = await tx
    .updateTable('project_kek')
    .set({ state: 'destroyed', box: null, destroyed_at: at })
    .where('project', '=', project)
    .where('state', '<>', 'destroyed')
    .returning('version')
    .execute();
  const { total } = await countWrapped(tx, { org, project }, 0);
  for (const table of ['artifact_version', 'secret', 'checkpoint', 'attempt_log', 'chunk'] as const)
    await tx.deleteFrom(table).execute();
  // Sealed to this custodian and to agents: they carry data keys.
  await tx.updateTable('job').set({ workload: null }).where('workload', 'is not', null).execute();
  await tx.updateTable('attempt').set({ payload: null }).where('payload', 'is not', null).execute();
  const row = { org, kind, project, device, at, project_keys: destroyed.length, data_keys: total, envelope: null };
  return tx.insertInto('tombstone').values(row).returningAll().executeTakeFirstOrThrow();
}

/** The built-in key is replaced and destroyed in any case; one that a provider holds goes with the organisation only. */
async function endOrganisationKey(
  { store, projectKeys, rotation }: ShredKeysParts,
  owner: KeyOwner,
  kind: ShredKind,
): Promise<KeyEnd> {
  const used = await store.withOrg(owner.org, (tx) =>
    tx.selectFrom('project_kek').select(['provider', 'key_version']).distinct().execute(),
  );
  await rotation.renewBuiltIn(owner);
  const elsewhere = used.filter(({ provider }) => provider !== BUILT_IN);
  if (elsewhere.length === 0) return { organisationKey: 'destroyed' };
  if (kind === 'project') return { organisationKey: 'kept' };
  const ends = await Promise.all(
    elsewhere.map(
      async ({ provider, key_version }): Promise<Destruction> =>
        // One that the configuration does not name any more cannot be asked, now or later.
        (await projectKeys.providers.get(provider)?.destroy(key_version)) ?? { state: 'left-to-owner' },
    ),
  );
  if (ends.some(({ state }) => state === 'left-to-owner')) return { organisationKey: 'left-to-owner' };
  const times = ends.flatMap((end) => (end.state === 'scheduled' ? [end.at] : []));
  return times.length === 0
    ? { organisationKey: 'destroyed' }
    : { organisationKey: 'scheduled', goneBy: epochMs(Math.max(...times)) };
}

async function signTombstone(
  { keys, record, fault }: ShredKeysParts,
  tx: Tx,
  row: Row,
  end: KeyEnd,
): Promise<Envelope> {
  const { org, kind, project, device, at } = row;
  const statement: TombstoneStatement = {
    v: 1,
    org,
    custodian: keys.id,
    device,
    at: epochMs(at),
    kind,
    project,
    projectKeys: row.project_keys,
    dataKeys: row.data_keys,
    ...end,
  };
  const envelope = signStatement('tombstone', statement, [keys.enrolment]);
  const written = await tx
    .updateTable('tombstone')
    .set({ envelope: JSON.stringify(envelope) })
    .where('kind', '=', kind)
    .where('envelope', 'is', null)
    .returning('kind')
    .executeTakeFirst();
  // Another request was faster: its word stays.
  if (written === undefined) return (await tombstoneOf(tx, kind))?.envelope ?? envelope;
  await record(tx, org, { type: 'kek-shredded', kind, tombstone: statementDigest(envelope), device });
  fault('tombstone-after-sign');
  return envelope;
}
